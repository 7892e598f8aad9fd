/* core.c - see core.h. */
#include "target/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "target/core_internal.h"

#define PAGE_BYTES_DEFAULT 4096

enum status core_bad(const struct core *core, struct error *err, const char *what)
{
    return error_set(err, STATUS_BAD_DATA, "%s: %s", core->name, what);
}

static size_t pread_some(int fd, uint64_t offset, void *data, size_t length)
{
    size_t done = 0;
    while (done < length && offset + done <= INT64_MAX) {
        ssize_t got = pread(fd, (char *)data + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

bool core_pread(const struct core *core, uint64_t offset, void *data, size_t length)
{
    return offset <= core->file_bytes && length <= core->file_bytes - offset &&
           pread_some(core->fd, offset, data, length) == length;
}

const struct core_segment *core_next_segment(const struct core *core, uint64_t address)
{
    size_t low = 0, high = core->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (core->segments[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < core->segment_count ? &core->segments[low] : NULL;
}

const struct core_segment *core_find_segment(const struct core *core, uint64_t address)
{
    const struct core_segment *next = core_next_segment(core, address);
    return next && next->start <= address ? next : NULL;
}

/* From the file that was mapped there: only where the process could not write, since what it wrote is gone.
 */
static size_t read_mapped_file(struct core *core, const struct core_segment *segment, uint64_t address,
                               void *data, size_t length)
{
    const struct core_row *row = core_find_row(core, address);
    int fd = row && !(segment->flags & PF_W) ? core_file_fd(core, row->file) : -1;
    if (fd < 0)
        return 0;
    length = (size_t)min_u64(length, row->end - address);
    size_t got = pread_some(fd, row->offset + (address - row->start), data, length);
    /* the rest of a file's last page reads as zeros */
    uint64_t page_left = align_up(address + got, core->base.page_bytes) - (address + got);
    size_t zeros = got > 0 ? (size_t)min_u64(page_left, length - got) : 0;
    memset((char *)data + got, 0, zeros);
    return got + zeros;
}

static size_t core_read(struct target *target, uint64_t address, void *data, size_t length)
{
    struct core *core = core_of(target);
    size_t done = 0;
    while (done < length) {
        uint64_t at = address + done;
        const struct core_segment *segment = core_find_segment(core, at);
        if (!segment)
            break;
        uint64_t inside = at - segment->start;
        size_t wanted = (size_t)min_u64(length - done, segment->end - at), got;
        if (inside < segment->file_length)
            got = pread_some(core->fd, segment->offset + inside, (char *)data + done,
                             (size_t)min_u64(wanted, segment->file_length - inside));
        else
            got = read_mapped_file(core, segment, at, (char *)data + done, wanted);
        if (got == 0)
            break;
        done += got;
    }
    return done;
}

static void core_read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        parts[i].is_read =
            parts[i].address <= UINT64_MAX - parts[i].length &&
            core_read(target, parts[i].address, parts[i].data, parts[i].length) == parts[i].length;
}

static enum status core_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                                    struct error *err)
{
    (void)target, (void)start, (void)pages, (void)states;
    return error_set(err, STATUS_PERMISSION, "a core does not tell which pages were in memory");
}

static enum status core_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                                struct error *err)
{
    const struct core *core = core_of(target);
    if (core->thread_count == 0)
        return error_set(err, STATUS_NOT_FOUND, "%s: it has no threads", core->name);
    struct target_thread *rows = calloc(core->thread_count, sizeof *rows);
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the threads");
    for (size_t i = 0; i < core->thread_count; i++)
        rows[i] = (struct target_thread){.tid = core->threads[i].tid, .own_tid = core->threads[i].tid};
    *ret = rows;
    *count_ret = core->thread_count;
    return STATUS_OK;
}

static enum status core_robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    (void)target, (void)tid, (void)head_ret;
    return STATUS_NOT_FOUND;
}

static enum status core_thread_pointer(struct target *target, pid_t tid, uint64_t *ret)
{
    const struct core *core = core_of(target);
    for (size_t i = 0; i < core->thread_count; i++)
        if (core->threads[i].tid == tid && core->threads[i].pointer) {
            *ret = core->threads[i].pointer;
            return STATUS_OK;
        }
    return STATUS_NOT_FOUND;
}

static enum status core_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                                  struct error *err)
{
    struct core *core = core_of(target);
    int fd = mapping->inode > 0 && mapping->inode <= core->file_count
                 ? core_file_fd(core, (uint32_t)(mapping->inode - 1))
                 : -1;
    if (fd < 0)
        return error_set(err, STATUS_NOT_FOUND, "%s: not here, or not the file that was mapped",
                         mapping->name[0] ? mapping->name : "no file");
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return error_errno(err, errno, "open %s again", mapping->name);
    *fd_ret = copy;
    return STATUS_OK;
}

static enum status core_still_same(struct target *target, struct error *err)
{
    (void)target, (void)err;
    return STATUS_OK;
}

static void core_close(struct target *target)
{
    struct core *core = core_of(target);
    for (size_t i = 0; i < core->file_count; i++)
        scoped_fd_run(&core->files[i].fd);
    scoped_fd_run(&core->fd);
    free(core->name);
    free(core->exe_path);
    free(core->segments);
    free(core->rows);
    free(core->row_text);
    free(core->files);
    free(core->threads);
    free(core);
}

_Static_assert(sizeof(struct core) <= TARGET_SHARE_BYTES, "a core must fit into a share");

static const struct target_ops CORE_OPS = {
    .name = "core",
    .share_bytes = sizeof(struct core),
    .read = core_read,
    .read_parts = core_read_parts,
    .maps = core_maps,
    .page_states = core_page_states,
    .threads = core_threads,
    .robust_list = core_robust_list,
    .thread_pointer = core_thread_pointer,
    .open_file = core_open_file,
    .still_same = core_still_same,
    .close = core_close,
};

/* As /proc/PID/task lists them; in a core the one that crashed comes first. */
static int by_tid(const void *left, const void *right)
{
    const struct core_thread *a = left, *b = right;
    return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static enum status read_all(struct core *core, const char *exe_path, struct error *err)
{
    struct stat stat;
    if (fstat(core->fd, &stat) != 0)
        return error_errno(err, errno, "%s", core->name);
    if (!S_ISREG(stat.st_mode))
        return core_bad(core, err, "no regular file");
    core->file_bytes = (uint64_t)stat.st_size;
    core->notes_left = core->file_bytes / sizeof(Elf32_Nhdr);
    scoped_free struct core_notes *notes = NULL;
    size_t count = 0;
    enum status status = core_read_headers(core, &notes, &count, err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = core_read_notes(core, &notes[i], err);
    if (core->thread_count)
        qsort(core->threads, core->thread_count, sizeof *core->threads, by_tid);
    if (status == STATUS_OK)
        status = core_add_file_segments(core, err);
    if (status == STATUS_OK)
        status = core_take_program(core, exe_path, err);
    core->base.pid = core->info.pid;
    return status;
}

enum status target_core_open_fd(int fd, const char *name, const char *exe_path, struct target **ret,
                                struct error *err)
{
    struct core *core = calloc(1, sizeof *core);
    if (!core)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a core");
    scoped_target struct target *target = &core->base;
    *target = (struct target){
        .ops = &CORE_OPS, .word_bytes = 8, .page_bytes = PAGE_BYTES_DEFAULT, .is_frozen = true};
    core->info.exe = "";
    core->fd = -1;
    core->name = strdup(name);
    if (!core->name)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a core");
    core->fd = fd;
    enum status status = read_all(core, exe_path, err);
    if (status != STATUS_OK) {
        core->fd = -1; /* stays the caller's */
        return status;
    }
    *ret = take_ptr(target);
    return STATUS_OK;
}

enum status target_core_open(const char *path, const char *exe_path, struct target **ret, struct error *err)
{
    scoped_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_USAGE, "--core %s: there is no such file", path);
    if (fd < 0)
        return error_errno(err, errno, "open %s", path);
    enum status status = target_core_open_fd(fd, path, exe_path, ret, err);
    if (status == STATUS_OK)
        take_fd(&fd);
    return status;
}

const struct target_core_info *target_core_info(const struct target *target)
{
    return &((const struct core *)target)->info;
}
