/*
 * walk.h - the linear pass: from header to header through the segments, each chunk given its state and handed
 * to the sinks, in one pass and fixed memory.
 */
#ifndef ALLOCATOR_GLIBC_WALK_H
#define ALLOCATOR_GLIBC_WALK_H

#include "allocator/glibc/alibi.h"
#include "allocator/glibc/marks.h"
#include "allocator/glibc/window.h"
#include "model/chunk.h"

#define WALK_BATCH 512u
#define WALK_SINKS_MAX 4u
/** Chunks in use below this size are only counted, where no sink wants each. */
#define WALK_COUNTED_BYTES 2048u
/** log2 of the finest distance of two sizes (MALLOC_ALIGNMENT is 8 or 16). */
#define WALK_COUNTED_SHIFT 3u

/** A pass. The sinks stay the caller's. */
struct walk {
    struct glibc_heap *heap;
    struct glibc_arena *arena; /* of the segment under way: what is found is summed up there */
    struct marks *marks;
    struct slices *slices; /* marks are shared with other walks through these; NULL: they are its own */
    struct window window;
    struct alibi alibi; /* for the place that looks broken */
    struct chunk_sink *sinks[WALK_SINKS_MAX];
    size_t sink_count;
    bool wants_each; /* a sink has no count_used */
    bool is_stopped; /* a sink wants no more */
    /* in slices of time (sliced.h): when this one is over, and whether its chunks have no more room */
    uint64_t pause_at_ns; /* UINT64_MAX: never */
    bool is_full;
    uint32_t batch_count;
    struct chunk batch[WALK_BATCH];
    uint64_t used_counts[WALK_COUNTED_BYTES >> WALK_COUNTED_SHIFT]; /* by size, of the arena under way */
};

/** Add a receiver, before the walk begins. */
void walk_add_sink(struct walk *walk, struct chunk_sink *sink);

/**
 * Walk one segment to its end. Broken places and lost bytes are noted in the heap, and the walk goes on at
 * the next boundary that a list, top or the segment's end proves. STATUS_STOPPED: a sink ended it;
 * STATUS_TIMEOUT.
 */
enum status walk_segment(struct walk *walk, const struct glibc_segment *segment,
                         struct error *err) must_check;

/** Hand one chunk to the sinks (batched). */
void walk_emit(struct walk *walk, const struct chunk *chunk);

/** Hand over what is still in the batch. */
void walk_flush(struct walk *walk);

/** Hand over the chunks in use of arena @arena that were only counted. */
void walk_flush_counts(struct walk *walk, uint32_t arena);

#endif
