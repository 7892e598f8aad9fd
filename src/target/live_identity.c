/*
 * live_identity.c - whether a process and its address space still are those that were opened.
 *
 * exec keeps pid and start time. An open maps file is bound to one address space and reads empty once that
 * has no user left; a vfork child, whose parent keeps it alive, is told by the start addresses in its stat.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "target/live_internal.h"
#include "target/proc_file.h"

/* Whether an open maps file still has an address space behind it; -1 with errno. */
static int has_mappings(int maps_fd)
{
    char byte;
    ssize_t got;
    do {
        got = pread(maps_fd, &byte, 1, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == ESRCH)
        return 0;
    return got < 0 ? -1 : got > 0;
}

void live_note_trouble(struct live *live, int os_errno, const char *what)
{
    if (live->base.trouble_errno != 0 || os_errno == ENOENT || os_errno == ESRCH)
        return;
    live->base.trouble_errno = os_errno;
    live->base.trouble_what = what;
}

static enum status open_maps(struct live *live, struct error *err)
{
    char path[40];
    snprintf(path, sizeof path, "task/%d/maps", (int)live->read_tid);
    live->maps_fd = openat(live->directory_fd, path, O_RDONLY | O_CLOEXEC);
    if (live->maps_fd >= 0)
        return STATUS_OK;
    if (errno == EACCES || errno == EPERM)
        return live_explain_refusal(live, "its mappings", err);
    if (errno == ENOENT || errno == ESRCH)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)live->base.pid);
    return error_errno(err, errno, "open the mappings of process %d", (int)live->base.pid);
}

/* The stat of the process, its addresses from a thread that still has the address space. */
static enum status read_identity(const struct live *live, struct proc_stat *ret, struct error *err)
{
    struct proc_stat leader, thread;
    enum status status = proc_file_stat(live->directory_fd, "stat", &leader, err);
    if (status != STATUS_OK)
        return status;
    if (live->read_tid != live->base.pid) {
        char path[40];
        snprintf(path, sizeof path, "task/%d/stat", (int)live->read_tid);
        status = proc_file_stat(live->directory_fd, path, &thread, err);
        if (status != STATUS_OK)
            return status;
        leader.start_code = thread.start_code;
        leader.start_stack = thread.start_stack;
        leader.arg_start = thread.arg_start;
        leader.env_start = thread.env_start;
    }
    *ret = leader;
    return STATUS_OK;
}

enum status live_trouble(const struct live *live, enum status otherwise, struct error *err)
{
    const struct target *target = &live->base;
    if (target->trouble_errno != 0)
        return error_errno(err, target->trouble_errno, "read %s of process %d", target->trouble_what,
                           (int)target->pid);
    return otherwise == STATUS_OK ? STATUS_OK
                                  : error_set(err, otherwise, "process %d has ended", (int)target->pid);
}

enum status live_take_identity(struct live *live, struct error *err)
{
    live->read_tid = live->base.pid;
    struct proc_stat stat;
    enum status status = proc_file_stat(live->directory_fd, "stat", &stat, err);
    if (status != STATUS_OK)
        return status;
    bool is_zombie = stat.state == 'Z' || stat.state == 'X';
    if (is_zombie && !live_pick_thread(live) && live->read_tid == live->base.pid)
        return live_trouble(live, STATUS_GONE, err);
    status = open_maps(live, err);
    if (status != STATUS_OK)
        return status;
    int mapped = has_mappings(live->maps_fd);
    if (mapped < 0)
        return error_errno(err, errno, "read the mappings of process %d", (int)live->base.pid);
    if (mapped == 0 && proc_stat_is_kernel_thread(&stat))
        return error_set(err, STATUS_UNSUPPORTED, "process %d has no memory of its own (a kernel thread)",
                         (int)live->base.pid);
    /* a process that is killed gives up its memory first and is a zombie only when all of that is freed */
    if (mapped == 0)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)live->base.pid);
    int refused = live_probe_memory(live->read_tid);
    if (refused == EPERM || refused == EACCES)
        return live_explain_refusal(live, "its memory", err);
    if (refused)
        return error_errno(err, refused, "read the memory of process %d", (int)live->base.pid);
    return read_identity(live, &live->stat, err);
}

static bool is_same_stat(const struct proc_stat *a, const struct proc_stat *b)
{
    return a->start_time_ticks == b->start_time_ticks && a->start_code == b->start_code &&
           a->start_stack == b->start_stack && a->arg_start == b->arg_start && a->env_start == b->env_start;
}

enum status live_still_same(struct target *target, struct error *err)
{
    struct live *live = live_of(target);
    struct pollfd end = {.fd = live->pidfd, .events = POLLIN};
    if (poll(&end, 1, 0) > 0)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)target->pid);
    int mapped = has_mappings(live->maps_fd);
    if (mapped == 0)
        return error_set(err, STATUS_GONE, "process %d has replaced its memory (exec) or ended",
                         (int)target->pid);
    if (mapped < 0)
        return error_errno(err, errno, "read the mappings of process %d", (int)target->pid);
    struct proc_stat now;
    enum status status = read_identity(live, &now, err);
    if (status == STATUS_OK && now.state == 'Z' && live->read_tid == target->pid) {
        /* The leader has exited and other threads run on: from here on one of them stands for it. */
        if (!live_pick_thread(live))
            return live_trouble(live, STATUS_GONE, err);
        status = read_identity(live, &now, err);
    }
    if (status == STATUS_GONE)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)target->pid);
    if (status != STATUS_OK)
        return status;
    if (!is_same_stat(&live->stat, &now))
        return error_set(err, STATUS_GONE, "process %d has become another program (exec)", (int)target->pid);
    return live_trouble(live, STATUS_OK, err);
}
