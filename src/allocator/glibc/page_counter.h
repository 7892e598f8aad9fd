/*
 * page_counter.h - pages in memory and in swap, counted within the time for a scan: a heap may claim
 * terabytes that are not there.
 */
#ifndef ALLOCATOR_GLIBC_PAGE_COUNTER_H
#define ALLOCATOR_GLIBC_PAGE_COUNTER_H

#include "target/page_view.h"

struct page_counter {
    struct page_view *view;
    uint64_t deadline_ns; /* monotonic */
    bool is_late;         /* it came while pages were counted: the sums are too small */
};

/** page_view_count() by the struct page_counter at @context; a residency_count_fn of analysis/residency.h. */
void page_counter_add(void *context, uint64_t start, uint64_t end, uint64_t *present_bytes,
                      uint64_t *swapped_bytes);

#endif
