/*
 * sizes.h - a sink that counts chunks by their exact size, in fixed memory.
 *
 * Sizes up to SIZE_LIST_EXACT_BYTES have a counter each. Larger ones share SIZES_LARGE_MAX counters by the
 * Space-Saving algorithm (Metwally and others, 2005), weighed by bytes: while there are no more sizes than
 * counters all are exact; then the one with fewest bytes gives up its counter, and what it had is how much
 * the next one may have had unseen.
 */
#ifndef ANALYSIS_SIZES_H
#define ANALYSIS_SIZES_H

#include "base/error.h"
#include "model/chunk.h"
#include "snapshot/size_list.h"

#define SIZES_LARGE_MAX 1024u

/** Which chunks are counted. */
struct sizes_filter {
    uint32_t states; /* bit i: enum chunk_state i; 0: all */
    bool has_arena;
    uint32_t arena;
};

/** A count under way: some 170 KiB, allocate it. Sizes are multiples of 8. */
struct sizes {
    struct chunk_sink sink; /* first */
    struct sizes_filter filter;
    struct tally total;
    uint64_t counts[SIZE_LIST_EXACT_BYTES / 8 + 1];
    uint32_t large_count;
    uint64_t large_sizes[SIZES_LARGE_MAX];
    uint64_t large_weights[SIZES_LARGE_MAX]; /* bytes seen and those of the size before */
    uint64_t large_errors[SIZES_LARGE_MAX];  /* of these the bytes of the size before */
};

/** Begin; give &sizes->sink to the walk. */
void sizes_begin(struct sizes *sizes, const struct sizes_filter *filter);

/** The @top sizes with most bytes; size_list_deinit() ends *@ret. STATUS_NO_MEMORY. */
enum status sizes_list(const struct sizes *sizes, uint32_t top, struct size_list *ret,
                       struct error *err) must_check;
void size_list_deinit(struct size_list *list);

#endif
