/* runs.h - the main arena's runs: what brk gave, and what was mapped where brk was refused. */
#ifndef ALLOCATOR_GLIBC_RUNS_H
#define ALLOCATOR_GLIBC_RUNS_H

#include "allocator/glibc/heap.h"

/**
 * Append the main arena's runs to heap->segments. Contiguous (malloc_state.flags): one segment from sbrk_base
 * to the end of top, foreign sbrk gaps inside it. Else glibc keeps no list of them: the anonymous mappings
 * are searched for page boundaries from which a chain of chunks leads to fenceposts or top.
 */
enum status runs_find(struct glibc_heap *heap, struct error *err) must_check;

#endif
