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
    if (!view->is_known)
        return PAGE_PRESENT;
    load_stripe(view, address);
    return (enum page_state)view->states[(address - view->start) / view->target->page_bytes];
}

uint64_t page_view_readable_run(struct page_view *view, uint64_t address, uint64_t limit, bool with_swapped)
{
    if (!view->is_known)
        return limit - address;
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
