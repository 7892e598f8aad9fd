/*
 * lanes.h - the walk of a pass by several threads: a lane each, which takes one segment after the other.
 *
 * What a lane finds does not depend on the other lanes, so all sums and records are those of one thread. Sums
 * are added up as segments end; what has an order gets it back: chunks for a sink wait in their lane's queue,
 * notes and links are put together by turn. The caller's thread only does that, and looks for mmapped chunks.
 * Lanes ask for no memory: theirs is there before, so that they serve under a stop.
 */
#ifndef ALLOCATOR_GLIBC_LANES_H
#define ALLOCATOR_GLIBC_LANES_H

#include "allocator/glibc/mmapped.h"
#include "allocator/glibc/pass.h"

/** A segment at its turn in the order of addresses. */
struct turn {
    uint64_t start;
    uint32_t heap; /* row in the pass */
    uint32_t segment;
    /* of the lane that walks or walked it: its number, 0 while none has; and which of its links are of it */
    uint32_t lane;
    size_t first_link, link_count;
};

/** Whether @pass may be walked so: it was given threads, and has what each needs of its own. */
bool lanes_are_possible(const struct pass *pass, size_t turn_count);

/**
 * Walk all of @turns and, in the gaps between them, look by @search, which emits to pass->walk. Statuses of
 * walk_segment(), of the first turn that had one.
 */
enum status lanes_walk(struct pass *pass, struct turn *turns, size_t turn_count,
                       struct mmapped_search *search, struct error *err) must_check;

/** Give back to the system what walks took of their room; no walk may be under way. */
void lanes_trim(struct scan_threads *threads);

#endif
