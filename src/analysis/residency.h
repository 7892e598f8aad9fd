/*
 * residency.h - a sink that asks which pages of free chunks are in memory: what the allocator holds and the
 * program does not use, and what malloc_trim(3) would give back of it.
 */
#ifndef ANALYSIS_RESIDENCY_H
#define ANALYSIS_RESIDENCY_H

#include "base/error.h"
#include "model/chunk.h"
#include "snapshot/snapshot.h"

/** How to count pages: adds the bytes of present and of swapped pages in [@start, @end), page boundaries. */
typedef void residency_count_fn(void *context, uint64_t start, uint64_t end, uint64_t *present_bytes,
                                uint64_t *swapped_bytes);

struct residency_sums {
    struct chunk_sink sink; /* first */
    residency_count_fn *count;
    void *context;
    uint64_t page_bytes;
    uint64_t kept_bytes; /* sizeof(struct malloc_chunk): what malloc_trim leaves at a chunk's start */
    struct residency mmapped, free;
    uint64_t trimmable_bytes; /* in binned chunks; top is the caller's */
    uint32_t first_arena;     /* index of the first one that has a sum here */
    uint32_t arena_count;
    uint64_t *free_resident_bytes; /* by arena index, less first_arena */
};

/** Ready; residency_deinit() ends it. @context is passed to @count. */
enum status residency_init(struct residency_sums *sums, uint32_t arena_count, uint64_t page_bytes,
                           uint64_t kept_bytes, residency_count_fn *count, void *context,
                           struct error *err) must_check;
void residency_deinit(struct residency_sums *sums);

/** All zero again, for another try. */
void residency_reset(struct residency_sums *sums);

/** Add @part, whose arenas are among those of @sums. */
void residency_add(struct residency_sums *sums, const struct residency_sums *part);

/** Pages that hold a byte of [@start, @end) added to @ret. */
void residency_of_range(struct residency_sums *sums, uint64_t start, uint64_t end, struct residency *ret);

#endif
