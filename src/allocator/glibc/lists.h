/*
 * lists.h - follow the lists whose members the linear walk cannot tell, and leave their marks: tcaches,
 * fastbins, and what tells unsorted chunks from binned ones.
 *
 * The linear walk sees that a chunk is free, not whether it is in the unsorted list or already in its bin.
 * One side is enough: either the unsorted list is followed, or all bins are, whichever is shorter; the free
 * chunks without a mark are the other side. A program that has just freed a million chunks has them all in
 * unsorted, and its bins are short.
 */
#ifndef ALLOCATOR_GLIBC_LISTS_H
#define ALLOCATOR_GLIBC_LISTS_H

#include "allocator/glibc/marks.h"

/**
 * Find out for each arena which side is shorter: sets are_bins_marked. Where both are long, and @may_note,
 * neither is followed now: are_links_noted. STATUS_TIMEOUT.
 */
enum status lists_choose_sides(struct glibc_heap *heap, bool may_note, struct error *err) must_check;

/**
 * Mark the members of all lists that lie in the slice that @marks holds. The first call counts the members of
 * every slice, fills each arena's fastbin sums and the tcaches' tallies, and notes broken lists (corrupt
 * where the target stands still).
 */
enum status lists_mark(struct glibc_heap *heap, struct marks *marks, struct error *err) must_check;

/** Follow one bin of @arena by its fd links and sum up its members; false where it is broken. */
bool lists_follow_bin(struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                      struct bin_sums *ret);

#endif
