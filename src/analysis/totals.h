/* totals.h - a sink that sums up the stream of chunks: by arena and state, by size, the largest free one. */
#ifndef ANALYSIS_TOTALS_H
#define ANALYSIS_TOTALS_H

#include "base/error.h"
#include "model/chunk.h"
#include "snapshot/snapshot.h"

struct totals {
    struct chunk_sink sink; /* first: it is what the walk sees */
    uint32_t first_arena;   /* index of the first one that has sums here */
    uint32_t arena_count;
    struct tally (*arenas)[CHUNK_STATE_COUNT]; /* by arena index, less first_arena */
    uint64_t *largest_binned;                  /* likewise: in unsorted, small, large */
    struct tally mmapped;
    struct histogram used; /* in use and mmapped */
    struct histogram free; /* tcache to large: not top */
};

/** Ready for arenas 0 … @arena_count - 1; totals_deinit() ends it. */
enum status totals_init(struct totals *totals, uint32_t arena_count, struct error *err) must_check;
void totals_deinit(struct totals *totals);

/** All zero again, for another try. */
void totals_reset(struct totals *totals);

/**
 * Add @part, whose arenas are among those of @totals. What was summed up in parts, in any order, is what
 * would have been summed up at once.
 */
void totals_add(struct totals *totals, const struct totals *part);

/** Bytes of all states of one arena. */
uint64_t totals_arena_bytes(const struct totals *totals, uint32_t arena);

/**
 * Take @count chunks of @bytes out of @from and into @to: what turned out later to be something else. The
 * histograms stay: they are by size, and one chunk in motion is within their meaning.
 */
void totals_move(struct totals *totals, uint32_t arena, enum chunk_state from, enum chunk_state to,
                 uint64_t count, uint64_t bytes);

#endif
