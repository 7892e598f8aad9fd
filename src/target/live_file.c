/*
 * live_file.c - open the very file that a process has mapped, as seen from its own root.
 *
 * The path is the target's word: it is resolved inside its root, without magic links, first as O_PATH, so
 * that nothing but the regular file that maps names is ever opened (opening a device or a FIFO has effects).
 * A path is resolved from what the kernel has cached, where a mapped file always is, and nothing is asked of
 * a FUSE file system: its server may be the target's, and never answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/live_internal.h"
#include "target/proc_file.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12 */
#endif

static int find_in_root(int root_fd, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED};
    int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    if (fd < 0 && errno == EINVAL) { /* an older kernel */
        how.resolve &= ~(uint64_t)RESOLVE_CACHED;
        fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    }
    return fd;
}

/* What is cached of it: a file system is not asked. */
static bool stat_cached(int fd, struct statx *ret)
{
    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_MNT_ID, ret) == 0;
}

static bool is_mapped_file(const struct statx *stat, const struct mapping *mapping)
{
    return stat->stx_ino == mapping->inode && stat->stx_dev_major == mapping->device_major &&
           stat->stx_dev_minor == mapping->device_minor;
}

#define TYPE_MAX 32

/* The type of the file system that mount @id is of, as a mountinfo file (proc_pid_mountinfo(5)) tells it
 * behind the field "-"; false where it does not list the mount. */
static bool find_mount_type(const char *text, uint64_t id, char type[TYPE_MAX])
{
    while (*text) {
        /* not sscanf(3), which measures all of the text for each line */
        const char *end = strchrnul(text, '\n'), *mark = memmem(text, (size_t)(end - text), " - ", 3);
        if (mark && strtoull(text, NULL, 10) == id) {
            mark += 3;
            size_t length = strcspn(mark, " \n");
            snprintf(type, TYPE_MAX, "%.*s", (int)(length < TYPE_MAX ? length : TYPE_MAX - 1), mark);
            return true;
        }
        text = end + (*end == '\n');
    }
    return false;
}

/*
 * The type of the file system that a file is on: "fuse" also where that cannot be excluded. A chroot's mount
 * is not listed where it begins above; then one on a block device is what it says, "".
 */
static void file_system_type(const struct live *live, const struct statx *stat, char type[TYPE_MAX])
{
    scoped_buffer struct buffer text = {0};
    char path[48];
    snprintf(path, sizeof path, "task/%d/mountinfo", (int)live->read_tid);
    bool is_listed =
        (stat->stx_mask & STATX_MNT_ID) &&
        proc_file_read(live->directory_fd, path, PROC_MOUNTS_BYTES_MAX, &text, NULL) == STATUS_OK &&
        find_mount_type(buffer_string(&text), stat->stx_mnt_id, type);
    if (!is_listed)
        snprintf(type, TYPE_MAX, "%s", stat->stx_dev_major == 0 ? "fuse" : "");
}

static bool is_fuse(const char *type)
{
    return strncmp(type, "fuse", 4) == 0;
}

enum status target_live_open_root(const struct target *target, int *fd_ret, struct error *err)
{
    const struct live *live = (const struct live *)target;
    char path[40];
    snprintf(path, sizeof path, "task/%d/root", (int)live->read_tid);
    scoped_fd int fd = openat(live->directory_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statx stat;
    char type[TYPE_MAX];
    if (fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)target->pid);
    if (fd < 0)
        return error_errno(err, errno, "open the root of process %d", (int)target->pid);
    if (!stat_cached(fd, &stat))
        return error_errno(err, errno, "stat the root of process %d", (int)target->pid);
    file_system_type(live, &stat, type);
    if (is_fuse(type))
        return error_set(err, STATUS_NOT_FOUND, "the root of process %d is, or may be, a FUSE file system",
                         (int)target->pid);
    *fd_ret = take_fd(&fd);
    return STATUS_OK;
}

/*
 * The name of a mapped file as it is below the process' root. maps tells names as links do: from the root of
 * the mount namespace, so that a chroot is in front.
 */
static const char *name_in_root(const struct live *live, const char *name)
{
    char path[40], root[4096];
    snprintf(path, sizeof path, "task/%d/root", (int)live->read_tid);
    ssize_t length = readlinkat(live->directory_fd, path, root, sizeof root);
    bool is_below = length > 1 && (size_t)length < sizeof root && strncmp(name, root, (size_t)length) == 0 &&
                    name[length] == '/';
    return is_below ? name + length : name;
}

static int open_again(const struct live *live, int found)
{
    char path[300];
    snprintf(path, sizeof path, "%s/self/fd/%d", live->procfs, found);
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/*
 * overlayfs and btrfs tell other numbers in maps than by stat(2). There the first page decides: headers and
 * build-id, in the file as in memory.
 */
static bool has_same_first_page(struct live *live, const struct mapping *mapping, const char *type, int found)
{
    char in_file[4096], in_memory[sizeof in_file];
    if ((strcmp(type, "btrfs") != 0 && strcmp(type, "overlay") != 0) || mapping->offset != 0)
        return false;
    scoped_fd int fd = open_again(live, found);
    return fd >= 0 && pread(fd, in_file, sizeof in_file, 0) == (ssize_t)sizeof in_file &&
           live_read(&live->base, mapping->start, in_memory, sizeof in_memory) == sizeof in_memory &&
           memcmp(in_file, in_memory, sizeof in_file) == 0;
}

/* The file that is mapped, as O_PATH. */
static enum status find_mapped(struct live *live, const struct mapping *mapping, int *fd_ret,
                               struct error *err)
{
    scoped_fd int root = -1;
    struct statx stat;
    char type[TYPE_MAX];
    enum status status = target_live_open_root(&live->base, &root, err);
    if (status != STATUS_OK)
        return status;
    scoped_fd int found = find_in_root(root, name_in_root(live, mapping->name));
    if (found < 0 && (errno == EACCES || errno == EPERM))
        return error_errno(err, errno, "open a file of process %d", (int)live->base.pid);
    if (found < 0 || !stat_cached(found, &stat) || !S_ISREG(stat.stx_mode))
        return error_set(err, STATUS_NOT_FOUND, "there is no regular file at the name that is mapped");
    file_system_type(live, &stat, type);
    if (is_fuse(type))
        return error_set(err, STATUS_NOT_FOUND, "the file is, or may be, on a FUSE file system");
    if (!is_mapped_file(&stat, mapping) && !has_same_first_page(live, mapping, type, found))
        return error_set(err, STATUS_NOT_FOUND, "the file at that name is not the one that is mapped");
    *fd_ret = take_fd(&found);
    return STATUS_OK;
}

enum status live_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                           struct error *err)
{
    struct live *live = live_of(target);
    scoped_fd int found = -1;
    if (mapping->inode == 0 || mapping->name[0] != '/' || mapping->is_deleted)
        return error_set(err, STATUS_NOT_FOUND, "no file is mapped there, or it is deleted");
    enum status status = find_mapped(live, mapping, &found, err);
    if (status != STATUS_OK)
        return status;
    int fd = open_again(live, found);
    if (fd < 0)
        return error_errno(err, errno, "open a file of process %d", (int)target->pid);
    *fd_ret = fd;
    return STATUS_OK;
}
