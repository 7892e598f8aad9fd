/*
 * core_files.c - the files that were mapped (NT_FILE). A file at that name may be another one by now: it is
 * opened only to be proved (core_proof.c).
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/word.h"
#include "target/core_internal.h"

static uint64_t get_word(const struct core *core, const char *data)
{
    return word_of((const uint8_t *)data, core->base.word_bytes);
}

static int by_start(const void *left, const void *right)
{
    const struct core_row *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static int by_name(const void *left, const void *right)
{
    const struct core_row *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static void note_row(struct core_file *file, const struct core_row *row)
{
    uint64_t needed = row->offset + (row->end - row->start);
    file->needed_bytes = needed > file->needed_bytes ? needed : file->needed_bytes;
    if (row->offset == 0 && file->first_start == 0)
        file->first_start = row->start;
}

/* One file for all rows of one name; the rows are sorted by address afterwards. */
static bool number_files(struct core *core)
{
    core->files = calloc(core->row_count + 1, sizeof *core->files);
    if (!core->files)
        return false;
    qsort(core->rows, core->row_count, sizeof *core->rows, by_name);
    for (size_t i = 0; i < core->row_count; i++) {
        const char *name = core->rows[i].name;
        if (i == 0 || strcmp(core->rows[i - 1].name, name) != 0)
            core->files[core->file_count++] = (struct core_file){.name = name, .path = name, .fd = -1};
        core->rows[i].file = (uint32_t)(core->file_count - 1);
        note_row(&core->files[core->file_count - 1], &core->rows[i]);
    }
    qsort(core->rows, core->row_count, sizeof *core->rows, by_start);
    return true;
}

/* Count, page size, then a start, an end and an offset in pages for each, then the names. */
enum status core_take_files(struct core *core, char *text, size_t length, struct error *err)
{
    size_t word = core->base.word_bytes;
    core->row_text = text;
    uint64_t count = length >= 2 * word ? get_word(core, text) : 0;
    uint64_t page = length >= 2 * word ? get_word(core, text + word) : 0;
    if (count == 0 || count > (length - 2 * word) / (3 * word + 1))
        return STATUS_OK;
    core->rows = calloc((size_t)count, sizeof *core->rows);
    if (!core->rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the files that were mapped");
    const char *name = text + 2 * word + count * 3 * word, *end = text + length;
    for (size_t i = 0; i < count && name < end; i++) {
        const char *at = text + 2 * word + i * 3 * word;
        struct core_row row = {.start = get_word(core, at), .end = get_word(core, at + word), .name = name};
        name += strlen(name) + 1; /* a NUL was put behind the text */
        if (row.start < row.end && checked_mul(get_word(core, at + 2 * word), page, &row.offset) &&
            row.offset <= (uint64_t)INT64_MAX - (row.end - row.start) && row.end - row.start <= INT64_MAX)
            core->rows[core->row_count++] = row;
    }
    return number_files(core) ? STATUS_OK
                              : error_set(err, STATUS_NO_MEMORY, "no memory for the files that were mapped");
}

const struct core_row *core_find_row(const struct core *core, uint64_t address)
{
    size_t low = 0, high = core->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (core->rows[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < core->row_count && core->rows[low].start <= address ? &core->rows[low] : NULL;
}

/* Rows where the core has no segment: gcore leaves out what is read-only and of a file. */
enum status core_add_file_segments(struct core *core, struct error *err)
{
    size_t count = core->segment_count;
    struct core_segment *all = reallocarray(core->segments, 2 * count + 2 * core->row_count + 1, sizeof *all);
    if (!all)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the mappings of a core");
    core->segments = all;
    uint64_t last_end = 0;
    for (size_t i = 0, next = 0; i < core->row_count; i++) {
        const struct core_row *row = &core->rows[i];
        uint64_t at = row->start > last_end ? row->start : last_end;
        while (next < count && all[next].end <= at)
            next++;
        for (size_t k = next; at < row->end; k++) {
            uint64_t end = k < count && all[k].start < row->end ? all[k].start : row->end;
            if (end > at && core->segment_count < 2 * count + 2 * core->row_count)
                all[core->segment_count++] = (struct core_segment){.start = at, .end = end, .flags = PF_R};
            at = k < count && all[k].start < row->end ? all[k].end : row->end;
        }
        last_end = row->end > last_end ? row->end : last_end;
    }
    qsort(all, core->segment_count, sizeof *all, core_segment_by_start);
    return STATUS_OK;
}

static int open_regular(const char *path)
{
    struct stat stat;
    char again[40];
    scoped_fd int found = path[0] == '/' ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (found < 0 || fstat(found, &stat) != 0 || !S_ISREG(stat.st_mode))
        return -1;
    snprintf(again, sizeof again, "/proc/self/fd/%d", found);
    return open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_proved(struct core *core, uint32_t file)
{
    struct core_file *row = &core->files[file];
    if (row->is_tried)
        return row->fd;
    row->is_tried = true;
    scoped_fd int fd = open_regular(row->path);
    if (fd >= 0 && core_file_is_proved(core, file, fd))
        row->fd = take_fd(&fd);
    return row->fd;
}

int core_file_fd(struct core *core, uint32_t file)
{
    /* a core and its shares have one table */
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    int fd = open_proved(core, file);
    pthread_mutex_unlock(&lock);
    return fd;
}

enum status core_take_program(struct core *core, const char *exe_path, struct error *err)
{
    const struct core_row *row = core_find_row(core, core->auxv_headers);
    core->info.exe = row ? row->name : "";
    if (!exe_path)
        return STATUS_OK;
    if (!row)
        return error_set(err, STATUS_USAGE, "--exe %s: %s does not say which file its program was", exe_path,
                         core->name);
    char *path = realpath(exe_path, NULL);
    if (!path)
        return error_set(err, STATUS_USAGE, "--exe %s: there is no such file", exe_path);
    core->exe_path = path;
    core->files[row->file].path = path;
    if (core_file_fd(core, row->file) < 0)
        return error_set(err, STATUS_USAGE, "--exe %s: it is not the program that made %s, which ran %s",
                         exe_path, core->name, row->name);
    return STATUS_OK;
}
