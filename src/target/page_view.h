/*
 * page_view.h - which pages of a target are in memory, asked in stripes: one kernel call for 64 MiB, fixed
 * memory.
 *
 * Meant for rising addresses; going back costs another call.
 */
#ifndef TARGET_PAGE_VIEW_H
#define TARGET_PAGE_VIEW_H

#include "target/target.h"

/** Bytes of address space that one stripe covers, with 4 KiB pages. */
#define PAGE_VIEW_STRIPE_PAGES 16384u

struct page_view {
    struct target *target;
    uint64_t start; /* of the stripe held now */
    uint64_t end;
    bool is_known; /* false: the kernel does not tell; every page counts as present, but of a mapping that has
                      swapped ones every page as swapped */
    const struct address_range *swapped; /* these mappings; the target's */
    size_t swapped_count;
    uint8_t states[PAGE_VIEW_STRIPE_PAGES];
};

/** A view on @target; asks once to learn whether the kernel tells. @probe is an address in a mapping. */
void page_view_init(struct page_view *view, struct target *target, uint64_t probe);

/** Ask @target beforehand what a view will ask, so that nothing is left to be read from /proc during a stop.
 */
void page_view_prepare(struct target *target, uint64_t probe);

/** Forget what is held: the next question asks the kernel again. */
void page_view_forget(struct page_view *view);

/** State of the page at @address, as far as it is known (see is_known). */
enum page_state page_view_state(struct page_view *view, uint64_t address);

/**
 * Bytes from @address to the end of its run of pages that may be read, at most to @limit; 0: its page is
 * none. Present pages may be, swapped ones only @with_swapped, pages never touched never.
 */
uint64_t page_view_readable_run(struct page_view *view, uint64_t address, uint64_t limit, bool with_swapped);

/** Bytes of present and of swapped pages in [@start, @end), page boundaries, added to the two sums. */
void page_view_count(struct page_view *view, uint64_t start, uint64_t end, uint64_t *present_bytes,
                     uint64_t *swapped_bytes);

#endif
