/* lane.h - one walk of several, and its memory; inside lanes only. */
#ifndef ALLOCATOR_GLIBC_LANE_H
#define ALLOCATOR_GLIBC_LANE_H

#include "allocator/glibc/arena_part.h"
#include "allocator/glibc/lane_queue.h"
#include "allocator/glibc/lanes.h"
#include "allocator/glibc/slices.h"

/** A lane. Where it says so, a part that is added up at the end of each turn, or of the walk. */
struct lane {
    /* while it lives */
    uint8_t state[ARENA_STATE_BYTES_MAX]; /* of arena */
    struct lane_queue queue;
    struct slices *slices;
    /* of a pass */
    struct pass *pass;
    struct target_share share;
    struct target *target;
    struct page_view walk_pages, residency_pages;
    struct page_counter page_counter;
    struct walk walk;
    bool wants_residency, has_queue;
    struct residency segments; /* part of the walk */
    struct links links;        /* likewise, by turn */
    struct marks marks;        /* of the heap of the last turn */
    /* of a turn */
    size_t turn;
    struct glibc_heap heap;
    struct glibc_arena arena; /* part of the turn, as what follows */
    struct totals totals;
    struct residency_sums residency;
    enum status status;
    struct error err;
};

/** Take the memory of a lane, which shares @slices. lane_deinit() ends it. STATUS_NO_MEMORY. */
enum status lane_init(struct lane *lane, struct slices *slices, struct error *err) must_check;
void lane_deinit(struct lane *lane);

/** Serve @pass, beginning with nothing. */
void lane_begin_pass(struct lane *lane, struct pass *pass);

/** Take @turn; nobody may change the pass meanwhile. */
void lane_begin_turn(struct lane *lane, struct turn *turn);

/** Walk the turn to its end: lane->status and lane->err. */
void lane_walk_turn(struct lane *lane, const struct turn *turn);

/** Add what the turn gave to the pass; nobody else may be at it. */
void lane_end_turn(struct lane *lane, struct turn *turn);

/** Add what is of the whole walk to the pass. */
void lane_end_pass(struct lane *lane);

/** Give back to the system what the walk took of its room. */
void lane_trim(struct lane *lane);

#endif
