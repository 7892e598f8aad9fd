/* page_counter.c - see page_counter.h. */
#include "allocator/glibc/page_counter.h"

#include "base/clock.h"

void page_counter_add(void *context, uint64_t start, uint64_t end, uint64_t *present_bytes,
                      uint64_t *swapped_bytes)
{
    struct page_counter *counter = context;
    const uint64_t step = PAGE_VIEW_STRIPE_PAGES * (uint64_t)counter->view->target->page_bytes;
    while (end - start > step && !counter->is_late) {
        page_view_count(counter->view, start, start + step, present_bytes, swapped_bytes);
        start += step;
        counter->is_late = clock_monotonic_ns() > counter->deadline_ns;
    }
    if (!counter->is_late)
        page_view_count(counter->view, start, end, present_bytes, swapped_bytes);
}
