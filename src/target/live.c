/* live.c - a running process as a target: opening, its mappings, its word size. */
#include "target/live.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/live_internal.h"
#include "target/proc_file.h"

/* Mappings that are split or merged while the kernel lists them can be listed twice: more than once is rare.
 */
#define MAPS_TRIES 10

static enum status read_maps(struct target *target, struct maps *ret, struct error *err)
{
    scoped_buffer struct buffer text = {0};
    enum status status = proc_file_read_fd(live_of(target)->maps_fd, PROC_MAPS_BYTES_MAX, &text, err);
    if (status != STATUS_OK)
        return status;
    if (text.length == 0)
        return error_set(err, STATUS_GONE, "process %d has ended or replaced its memory", (int)target->pid);
    return maps_parse(text.data, text.length, ret, err);
}

static enum status live_maps(struct target *target, struct maps *ret, struct error *err)
{
    struct error trouble = {0};
    enum status status = STATUS_BAD_DATA;
    for (unsigned i = 0; i < MAPS_TRIES && status == STATUS_BAD_DATA; i++)
        status = read_maps(target, ret, &trouble);
    if (status != STATUS_OK && err)
        *err = trouble;
    return status;
}

static void live_close(struct target *target)
{
    struct live *live = live_of(target);
    const int fds[] = {live->directory_fd, live->pidfd, live->maps_fd, live->pagemap_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(live->swapped);
    free(live);
}

_Static_assert(sizeof(struct live) <= TARGET_SHARE_BYTES, "a live target must fit into a share");

static const struct target_ops LIVE_OPS = {
    .name = "live",
    .share_bytes = sizeof(struct live),
    .read = live_read,
    .read_parts = live_read_parts,
    .maps = live_maps,
    .page_states = live_page_states,
    .swapped = live_swapped,
    .usage = live_usage,
    .threads = live_threads,
    .robust_list = live_robust_list,
    .thread_ids = live_thread_ids,
    .look_at_thread = live_look_at_thread,
    .open_file = live_open_file,
    .still_same = live_still_same,
    .close = live_close,
};

enum status target_live_check_procfs(const char *procfs, struct error *err)
{
    char path[320], own[24];
    if ((size_t)snprintf(path, sizeof path, "%s/self", procfs) >= sizeof((struct live *)0)->procfs)
        return error_set(err, STATUS_USAGE, "--procfs: the path is too long");
    ssize_t length = readlink(path, own, sizeof own - 1);
    if (length < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EINVAL))
        return error_set(err, STATUS_USAGE, "--procfs %s: no procfs is mounted there", procfs);
    if (length < 0)
        return error_errno(err, errno, "read %s", path);
    own[length] = '\0';
    if (strtol(own, NULL, 10) != getpid())
        return error_set(err, STATUS_USAGE,
                         "--procfs %s: procfs is of another pid namespace: run with hostPID (--pid=host)",
                         procfs);
    return STATUS_OK;
}

/* The directory is bound to the process; reading stat through it after pidfd_open() proves that the number
 * was not given to another one in between. */
static enum status open_process(struct live *live, struct error *err)
{
    int pid = (int)live->base.pid;
    char path[320];
    snprintf(path, sizeof path, "%s/%d", live->procfs, pid);
    live->directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (live->directory_fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_NO_PROCESS, "there is no process %d", pid);
    if (live->directory_fd < 0)
        return error_errno(err, errno, "open %s", path);
    live->pidfd = (int)syscall(SYS_pidfd_open, live->base.pid, 0);
    if (live->pidfd < 0 && (errno == ESRCH || errno == EINVAL || errno == ENOENT))
        return error_set(err, STATUS_NO_PROCESS, "there is no process %d", pid);
    if (live->pidfd < 0)
        return error_errno(err, errno, "pidfd_open %d", pid);
    return live_take_identity(live, err);
}

/* ELF class in the header of the program that is mapped around start_code; 0 where it cannot be read. */
static unsigned class_in_memory(struct live *live)
{
    scoped_maps struct maps maps = {0};
    if (live_maps(&live->base, &maps, NULL) != STATUS_OK)
        return 0;
    const struct mapping *code = maps_find(&maps, live->stat.start_code);
    for (const struct mapping *row = maps.rows; code && row <= code; row++) {
        unsigned char ident[EI_NIDENT];
        if (row->offset == 0 && row->inode == code->inode && row->device_major == code->device_major &&
            row->device_minor == code->device_minor &&
            live_read(&live->base, row->start, ident, sizeof ident) == sizeof ident &&
            memcmp(ident, ELFMAG, SELFMAG) == 0)
            return ident[EI_CLASS];
    }
    return 0;
}

static unsigned class_of_program(const struct live *live)
{
    unsigned char ident[EI_NIDENT];
    scoped_fd int fd = openat(live->directory_fd, "exe", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || pread(fd, ident, sizeof ident, 0) != (ssize_t)sizeof ident ||
        memcmp(ident, ELFMAG, SELFMAG) != 0)
        return 0;
    return ident[EI_CLASS];
}

static unsigned find_word_bytes(struct live *live)
{
    unsigned class = class_in_memory(live);
    if (class == 0)
        class = class_of_program(live);
    return class == ELFCLASS32 ? 4 : 8;
}

enum status target_live_open(const char *procfs, pid_t pid, struct target **ret, struct error *err)
{
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a process");
    scoped_target struct target *target = &live->base;
    *target = (struct target){.ops = &LIVE_OPS, .pid = pid, .page_bytes = (unsigned)sysconf(_SC_PAGESIZE)};
    live->directory_fd = live->pidfd = live->maps_fd = live->pagemap_fd = -1;
    snprintf(live->procfs, sizeof live->procfs, "%s", procfs);
    enum status status = open_process(live, err);
    if (status != STATUS_OK)
        return status;
    target->word_bytes = find_word_bytes(live);
    *ret = take_ptr(target);
    return STATUS_OK;
}

const struct proc_stat *target_live_stat(const struct target *target)
{
    return &((const struct live *)target)->stat;
}
