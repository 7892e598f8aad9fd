/*
 * live_file.c - open the very file that a process has mapped, as seen from its own root.
 *
 * The path is the target's word: it is resolved inside its root, without magic links, first as O_PATH, so
 * that nothing but the regular file that maps names is ever opened (opening a device or a FIFO has effects).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/live_internal.h"

static int find_in_root(int root_fd, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

static bool is_mapped_file(int fd, const struct mapping *mapping)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_ino == mapping->inode &&
           major(stat.st_dev) == mapping->device_major && minor(stat.st_dev) == mapping->device_minor;
}

enum status target_live_open_root(const struct target *target, int *fd_ret, struct error *err)
{
    const struct live *live = (const struct live *)target;
    char path[40];
    snprintf(path, sizeof path, "task/%d/root", (int)live->read_tid);
    int fd = openat(live->directory_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)target->pid);
    if (fd < 0)
        return error_errno(err, errno, "open the root of process %d", (int)target->pid);
    *fd_ret = fd;
    return STATUS_OK;
}

enum status live_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                           struct error *err)
{
    const struct live *live = live_of(target);
    if (mapping->inode == 0 || mapping->name[0] != '/' || mapping->is_deleted)
        return error_set(err, STATUS_NOT_FOUND, "no file is mapped there, or it is deleted");
    scoped_fd int root = -1;
    enum status status = target_live_open_root(target, &root, err);
    if (status != STATUS_OK)
        return status;
    char path[300];
    scoped_fd int found = find_in_root(root, mapping->name);
    if (found < 0 && (errno == EACCES || errno == EPERM))
        return error_errno(err, errno, "open a file of process %d", (int)target->pid);
    if (found < 0 || !is_mapped_file(found, mapping))
        return error_set(err, STATUS_NOT_FOUND, "the file at that name is not the one that is mapped");
    snprintf(path, sizeof path, "%s/self/fd/%d", live->procfs, found);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open a file of process %d", (int)target->pid);
    *fd_ret = fd;
    return STATUS_OK;
}
