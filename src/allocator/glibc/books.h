/*
 * books.h - hold what was walked against glibc's own books: the checks of malloc_reconciled.
 *
 * Under a stop each check is exact. In a live process the books move while they are compared: a check holds
 * where the walked value lies between the book read before and after, and is absent where it does not and the
 * book moved.
 */
#ifndef ALLOCATOR_GLIBC_BOOKS_H
#define ALLOCATOR_GLIBC_BOOKS_H

#include "allocator/glibc/heap.h"
#include "analysis/totals.h"

/**
 * Under a stop: find chunks that are free but on no list (a thread was caught inside malloc), count them in
 * heap->orphans, and take them as in use in @totals and the bins' sums. A list that is really broken is
 * noted.
 */
void books_settle_orphans(struct glibc_heap *heap, struct totals *totals);

/** Fill @checks of one heap, adding to what another libc of the process put there. */
void books_check(struct glibc_heap *heap, const struct totals *totals,
                 struct check_result checks[CHECK_COUNT]);

/**
 * The checks of the mmapped chunks: @found against the book read before and after. @moved: the process has
 * other mappings by now than those that were searched.
 */
void books_check_mmapped(const struct tally *found, const struct glibc_par *before,
                         const struct glibc_par *after, bool moved, struct check_result checks[CHECK_COUNT]);

#endif
