/*
 * list_engine.h - follow many linked lists of a target side by side.
 *
 * A single read of another process' memory costs microseconds, a part of a batch a fraction of one: each
 * round reads the next node of every list in one batch. Lists that were freed in order lead from neighbour to
 * neighbour: where the next node is near the one before, its whole page comes, and as long as the list stays
 * in it no read is needed.
 */
#ifndef ALLOCATOR_GLIBC_LIST_ENGINE_H
#define ALLOCATOR_GLIBC_LIST_ENGINE_H

#include "allocator/glibc/heap.h"

#define LIST_CURSORS 128u
/* prev_size, size and two links */
#define LIST_NODE_WORDS 4u

/** One list: where it stands, and the limits that end it when it does not end by itself. */
struct list_cursor {
    unsigned kind;  /* the caller's */
    uint32_t owner; /* the caller's: row of an arena or a tcache */
    uint32_t bin;
    uint64_t chunk; /* the next member */
    uint64_t previous;
    uint64_t head; /* a chunk at this address ends the list; 0 for lists that end with NULL */
    uint64_t steps_max;
    uint64_t steps, power, tortoise; /* Brent: a cycle is noticed within twice its length */
    uint64_t held_start, held_end;   /* target memory held in data */
    bool is_unread;                  /* the next member could not be read */
    uint8_t *data;
    const uint8_t *node; /* the member's first four words, while take() runs */
};

/** The lists and what to do with their members. */
struct list_engine {
    struct glibc_heap *heap;
    void *context;
    /** Set up the next list (kind, owner, bin, chunk, previous, head, steps_max); false: no more. */
    bool (*next_list)(struct list_engine *engine, struct list_cursor *ret);
    /** Take the member at cursor->node and set cursor->chunk to the next one; false: it is no such member. */
    bool (*take)(struct list_engine *engine, struct list_cursor *cursor);
    /** The list is broken at cursor->chunk. */
    void (*broken)(struct list_engine *engine, const struct list_cursor *cursor);
    uint64_t nodes_max; /* end as STATUS_STOPPED after so many members; 0: no limit */
    uint64_t nodes;     /* members taken */
};

/** Follow all lists to their ends. STATUS_STOPPED at nodes_max, STATUS_TIMEOUT at the heap's deadline. */
enum status list_engine_run(struct list_engine *engine, struct error *err) must_check;

#endif
