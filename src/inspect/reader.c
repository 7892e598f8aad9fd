/* reader.c - see reader.h. */
#include "inspect/reader.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"

struct reader {
    const struct inspection *inspection;
    const struct maps *maps;
    const struct mapping *mapping; /* of the last part; its file is @fd */
    int fd;
    struct page_view pages;
};

static const char *const TEXTS[READER_COUNT] = {
#define X(name, text) [READER_##name] = text,
    READER_TABLE(X)
#undef X
};

const char *reader_text(enum reader_outcome outcome)
{
    return TEXTS[outcome];
}

struct reader *reader_new(const struct inspection *inspection, const struct maps *maps)
{
    struct reader *reader = malloc(sizeof *reader);
    if (!reader)
        return NULL;
    reader->inspection = inspection;
    reader->maps = maps;
    reader->mapping = NULL;
    reader->fd = -1;
    page_view_init(&reader->pages, inspection->target, maps->count ? maps->rows[0].start : 0);
    return reader;
}

void reader_free(struct reader *reader)
{
    if (reader)
        scoped_fd_run(&reader->fd);
    free(reader);
}

static const struct mapping *find_mapping(struct reader *reader, uint64_t at)
{
    const struct mapping *mapping = reader->mapping;
    if (mapping && at >= mapping->start && at < mapping->end)
        return mapping;
    reader->mapping = maps_find(reader->maps, at);
    scoped_fd_run(&reader->fd);
    reader->fd = -1;
    if (reader->mapping && reader->mapping->inode && reader->pages.is_known &&
        target_open_file(reader->inspection->target, reader->mapping, &reader->fd, NULL) != STATUS_OK)
        reader->fd = -1;
    return reader->mapping;
}

/* Up to the first mapping behind @at, or @end. */
static uint64_t unmapped_run(const struct reader *reader, uint64_t at, uint64_t end)
{
    size_t low = 0, high = reader->maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reader->maps->rows[middle].start <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return (low < reader->maps->count ? min_u64(reader->maps->rows[low].start, end) : end) - at;
}

/* Bytes from @at, at most @wanted of them, whose pages are all in @state. */
static uint64_t run_of(struct reader *reader, uint64_t at, uint64_t wanted, enum page_state state)
{
    uint64_t page = reader->inspection->target->page_bytes, to = at;
    while (to < at + wanted && page_view_state(&reader->pages, to) == state)
        to = align_down(to, page) + page;
    return min_u64(to - at, wanted);
}

/* By the target itself. Where the first byte cannot be had, its page cannot. */
static uint64_t read_target(struct reader *reader, uint64_t at, uint64_t wanted, void *data,
                            enum reader_outcome *outcome)
{
    uint64_t page = reader->inspection->target->page_bytes;
    size_t got = target_read(reader->inspection->target, at, data, (size_t)wanted);
    *outcome = got > 0 ? READER_BYTES : READER_UNREADABLE;
    return got > 0 ? got : min_u64(align_down(at, page) + page - at, wanted);
}

static uint64_t read_absent(struct reader *reader, uint64_t at, uint64_t wanted, void *data,
                            enum reader_outcome *outcome)
{
    const struct mapping *mapping = reader->mapping;
    if (mapping_is_anonymous(mapping)) {
        *outcome = READER_ZEROS;
        return wanted;
    }
    ssize_t got = reader->fd >= 0 ? pread(reader->fd, data, (size_t)wanted,
                                          (off_t)(mapping->offset + (at - mapping->start)))
                                  : -1;
    if (got <= 0)
        return read_target(reader, at, wanted, data, outcome);
    *outcome = READER_BYTES;
    return (uint64_t)got;
}

uint64_t reader_next(struct reader *reader, uint64_t at, uint64_t end, void *data, size_t size,
                     enum reader_outcome *outcome)
{
    const struct mapping *mapping = find_mapping(reader, at);
    if (!mapping) {
        *outcome = READER_UNMAPPED;
        return unmapped_run(reader, at, end);
    }
    uint64_t wanted = min_u64(min_u64(end, mapping->end) - at, size);
    if (!mapping->is_readable) {
        *outcome = READER_UNREADABLE;
        return min_u64(end, mapping->end) - at;
    }
    if (!reader->pages.is_known)
        return read_target(reader, at, wanted, data, outcome);
    enum page_state state = page_view_state(&reader->pages, at);
    wanted = run_of(reader, at, wanted, state);
    if (state == PAGE_ABSENT)
        return read_absent(reader, at, wanted, data, outcome);
    if (state == PAGE_SWAPPED && !reader->inspection->read_swapped) {
        *outcome = READER_SWAPPED;
        return wanted;
    }
    return read_target(reader, at, wanted, data, outcome);
}
