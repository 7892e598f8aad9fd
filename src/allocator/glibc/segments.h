/* segments.h - where an arena's memory lies: sub-heaps of the other arenas, the main arena's runs. */
#ifndef ALLOCATOR_GLIBC_SEGMENTS_H
#define ALLOCATOR_GLIBC_SEGMENTS_H

#include "allocator/glibc/heap.h"

/**
 * Fill heap->segments by address, and each arena's heaps, heap_bytes and the overhead before the first
 * chunks. A sub-heap whose header is wrong is noted, and its arena is lost from there on.
 */
enum status segments_find(struct glibc_heap *heap, struct error *err) must_check;

/** Append one segment, before segments_find() sorts them. */
enum status segments_append(struct glibc_heap *heap, const struct glibc_segment *segment,
                            struct error *err) must_check;

/** Bytes in use of the sub-heap at @base of @arena, as its header says now; 0: it is none. */
uint64_t segments_heap_bytes(const struct glibc_heap *heap, const struct glibc_arena *arena, uint64_t base);

/** The first chunk of memory that begins at @base: its user address is aligned. */
uint64_t segments_first_chunk(const struct glibc_heap *heap, uint64_t base);

#endif
