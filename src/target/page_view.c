/* page_view.c - see page_view.h. */
#include "target/page_view.h"

#include <string.h>

#include "base/checked.h"

void page_view_init(struct page_view *view, struct target *target, uint64_t probe)
{
    uint8_t state;
    view->target = target;
    view->start = view->end = 0;
    view->is_known =
        target_page_states(target, align_down(probe, target->page_bytes), 1, &state, NULL) == STATUS_OK;
    view->swapped = NULL;
    view->swapped_count = 0;
    if (!view->is_known)
        target_swapped(target, &view->swapped, &view->swapped_count);
}

void page_view_prepare(struct target *target, uint64_t probe)
{
    const struct address_range *rows;
    size_t count;
    uint8_t state;
    if (target_page_states(target, align_down(probe, target->page_bytes), 1, &state, NULL) != STATUS_OK)
        target_swapped(target, &rows, &count);
}

/* The first of the mappings with swapped pages that ends behind @address, or NULL. */
static const struct address_range *next_swapped(const struct page_view *view, uint64_t address)
{
    size_t low = 0, high = view->swapped_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->swapped[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < view->swapped_count ? &view->swapped[low] : NULL;
}

void page_view_forget(struct page_view *view)
{
    view->start = view->end = 0;
}

/* The stripe that holds @address. One that cannot be asked (the mapping went away) counts as absent. */
static void load_stripe(struct page_view *view, uint64_t address)
{
    if (address >= view->start && address < view->end)
        return;
    uint64_t page = view->target->page_bytes;
    view->start = align_down(address, page);
    uint64_t length = PAGE_VIEW_STRIPE_PAGES * page;
    if (view->start > UINT64_MAX - length)
        length = align_down(UINT64_MAX - view->start, page);
    view->end = view->start + length;
    if (target_page_states(view->target, view->start, length / page, view->states, NULL) != STATUS_OK)
        memset(view->states, PAGE_ABSENT, sizeof view->states);
}

enum page_state page_view_state(struct page_view *view, uint64_t address)
{
    if (!view->is_known) {
        const struct address_range *swapped = next_swapped(view, address);
        return swapped && swapped->start <= address ? PAGE_SWAPPED : PAGE_PRESENT;
    }
    load_stripe(view, address);
    return (enum page_state)view->states[(address - view->start) / view->target->page_bytes];
}

uint64_t page_view_readable_run(struct page_view *view, uint64_t address, uint64_t limit, bool with_swapped)
{
    if (!view->is_known) {
        const struct address_range *swapped = with_swapped ? NULL : next_swapped(view, address);
        return swapped && swapped->start < limit ? max_u64(swapped->start, address) - address
                                                 : limit - address;
    }
    uint64_t page = view->target->page_bytes, at = address;
    while (at < limit) {
        enum page_state state = page_view_state(view, at);
        if (state != PAGE_PRESENT && !(state == PAGE_SWAPPED && with_swapped))
            break;
        at = align_down(at, page) + page;
    }
    return min_u64(at, limit) - address;
}

void page_view_count(struct page_view *view, uint64_t start, uint64_t end, uint64_t *present_bytes,
                     uint64_t *swapped_bytes)
{
    uint64_t page = view->target->page_bytes;
    if (!view->is_known)
        return;
    for (uint64_t at = start; at < end; at += page) {
        enum page_state state = page_view_state(view, at);
        if (state == PAGE_PRESENT)
            *present_bytes += page;
        else if (state == PAGE_SWAPPED)
            *swapped_bytes += page;
    }
}
