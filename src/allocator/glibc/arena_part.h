/*
 * arena_part.h - an arena as one walk of several has it: the books as they are, the sums from nothing on, to
 * be added up in any order.
 */
#ifndef ALLOCATOR_GLIBC_ARENA_PART_H
#define ALLOCATOR_GLIBC_ARENA_PART_H

#include "allocator/glibc/heap.h"

/** A malloc_state of any version is smaller (some 2 KiB); one that is larger has no parts. */
#define ARENA_STATE_BYTES_MAX 8192u

/** Let @part be @whole with nothing walked; @state (ARENA_STATE_BYTES_MAX) becomes its copy of malloc_state.
 */
void arena_part_begin(struct glibc_arena *part, uint8_t *state, const struct glibc_arena *whole,
                      const struct glibc_layout *layout);

/** Add what was walked in @part to @whole, and its books where these have moved. */
void arena_part_add(struct glibc_arena *whole, const struct glibc_arena *part,
                    const struct glibc_layout *layout);

#endif
