/*
 * lists.h - follow the lists whose members the linear walk cannot tell: tcaches, fastbins, the unsorted
 * lists.
 *
 * Many lists are followed side by side, one node each in one batched read: a single read of another process'
 * memory costs microseconds, a node in a batch a fraction of one.
 */
#ifndef ALLOCATOR_GLIBC_LISTS_H
#define ALLOCATOR_GLIBC_LISTS_H

#include "allocator/glibc/marks.h"

/**
 * Mark the members of all lists that lie in the slice that @marks holds. The first call counts the members of
 * every slice, fills each arena's fastbin sums and listed_unsorted and the tcaches' tallies, and notes broken
 * lists (corrupt where the target stands still).
 */
enum status lists_mark(struct glibc_heap *heap, struct marks *marks, struct error *err) must_check;

/**
 * Follow one bin of @arena by its fd links and sum up its members; false where it is broken.
 */
bool lists_follow_bin(struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                      struct bin_sums *ret);

#endif
