/* arena.h - glibc's books: mp_ and the ring of arenas (malloc/arena.c, struct malloc_state). */
#ifndef ALLOCATOR_GLIBC_ARENA_H
#define ALLOCATOR_GLIBC_ARENA_H

#include "allocator/glibc/heap.h"

/** Read mp_ into @ret; is_known false where its place is not known or cannot be read. */
void par_read(const struct glibc_heap *heap, struct glibc_par *ret);

/**
 * Read every arena of the ring into heap->arenas, main first, and heap->is_ring_closed. A ring that leads
 * nowhere or never returns is noted, and the arenas up to there stay. STATUS_FAULT: main_arena itself cannot
 * be read.
 */
enum status arena_read_ring(struct glibc_heap *heap, struct error *err) must_check;

/** Read one arena's malloc_state again. STATUS_FAULT: it is gone; the old copy stays. */
enum status arena_refresh(struct glibc_heap *heap, struct glibc_arena *arena) must_check;

#endif
