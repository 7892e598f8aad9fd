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
    return S_ISREG(stat->stx_mode) && stat->stx_ino == mapping->inode &&
           stat->stx_dev_major == mapping->device_major && stat->stx_dev_minor == mapping->device_minor;
}

/*
 * Whether the line of a mountinfo file (proc_pid_mountinfo(5)) is of mount @id and a FUSE file system: the
 * type stands behind the field "-".
 */
static bool is_fuse_line(const char *line, uint64_t id)
{
    unsigned long long number;
    const char *end = strchrnul(line, '\n'), *type = strstr(line, " - ");
    return sscanf(line, "%llu ", &number) == 1 && number == id && type && type < end &&
           strncmp(type + 3, "fuse", 4) == 0;
}

/* Where that cannot be told, it may be. */
static bool is_on_fuse(const struct live *live, const struct statx *stat)
{
    scoped_buffer struct buffer text = {0};
    char path[48];
    snprintf(path, sizeof path, "task/%d/mountinfo", (int)live->read_tid);
    if (!(stat->stx_mask & STATX_MNT_ID))
        return false; /* a kernel before 5.8 */
    if (proc_file_read(live->directory_fd, path, &text, NULL) != STATUS_OK)
        return true;
    for (const char *line = buffer_string(&text); *line;) {
        if (is_fuse_line(line, stat->stx_mnt_id))
            return true;
        line = strchrnul(line, '\n');
        line += *line == '\n';
    }
    return false;
}

enum status target_live_open_root(const struct target *target, int *fd_ret, struct error *err)
{
    const struct live *live = (const struct live *)target;
    char path[40];
    snprintf(path, sizeof path, "task/%d/root", (int)live->read_tid);
    scoped_fd int fd = openat(live->directory_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statx stat;
    if (fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)target->pid);
    if (fd < 0)
        return error_errno(err, errno, "open the root of process %d", (int)target->pid);
    if (!stat_cached(fd, &stat) || is_on_fuse(live, &stat))
        return error_set(err, STATUS_NOT_FOUND, "the root of process %d is a FUSE file system",
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

/* The file that is mapped, as O_PATH. */
static enum status find_mapped(const struct live *live, const struct mapping *mapping, int *fd_ret,
                               struct error *err)
{
    scoped_fd int root = -1;
    struct statx stat;
    enum status status = target_live_open_root(&live->base, &root, err);
    if (status != STATUS_OK)
        return status;
    scoped_fd int found = find_in_root(root, name_in_root(live, mapping->name));
    if (found < 0 && (errno == EACCES || errno == EPERM))
        return error_errno(err, errno, "open a file of process %d", (int)live->base.pid);
    if (found < 0 || !stat_cached(found, &stat) || !is_mapped_file(&stat, mapping) || is_on_fuse(live, &stat))
        return error_set(err, STATUS_NOT_FOUND,
                         "the file at that name is not the one that is mapped, or of a FUSE file system");
    *fd_ret = take_fd(&found);
    return STATUS_OK;
}

enum status live_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                           struct error *err)
{
    const struct live *live = live_of(target);
    scoped_fd int found = -1;
    char path[300];
    if (mapping->inode == 0 || mapping->name[0] != '/' || mapping->is_deleted)
        return error_set(err, STATUS_NOT_FOUND, "no file is mapped there, or it is deleted");
    enum status status = find_mapped(live, mapping, &found, err);
    if (status != STATUS_OK)
        return status;
    snprintf(path, sizeof path, "%s/self/fd/%d", live->procfs, found);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open a file of process %d", (int)target->pid);
    *fd_ret = fd;
    return STATUS_OK;
}
