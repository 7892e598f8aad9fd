/* chain.h - follow a chain of chunk headers without reporting it: to prove where a run of chunks begins and
 * ends. */
#ifndef ALLOCATOR_GLIBC_CHAIN_H
#define ALLOCATOR_GLIBC_CHAIN_H

#include "allocator/glibc/window.h"

enum chain_end {
    CHAIN_BROKEN, /* a header that cannot be, or memory that cannot be read */
    CHAIN_TOP,    /* it arrived at top */
    CHAIN_FENCE,  /* it arrived at the double fencepost that closes a run of the main arena */
    CHAIN_HOPS    /* still sound after hops_max headers */
};

/**
 * Follow main-arena chunks from @start, all below @limit. *@end_ret is where it arrived: top, the page
 * boundary behind the fences, or the header after the last hop.
 */
enum chain_end chain_follow(struct window *window, uint64_t start, uint64_t limit, uint64_t top,
                            uint64_t hops_max, uint64_t *end_ret);

/**
 * The address behind a main run's fenceposts (a page boundary) where fenceposts lie at @address, else 0
 * (malloc.c, sysmalloc: one to three headers of size 2·SIZE_SZ).
 */
uint64_t chain_fence_end(struct window *window, uint64_t address, uint64_t limit);

/**
 * The first chunk behind a foreign sbrk's bytes: the smallest possible address from @from on from which a
 * sound chain leads to @top, to fenceposts, or over many headers. 0: none below @limit, or the time is over.
 */
uint64_t chain_find_start(struct window *window, uint64_t from, uint64_t limit, uint64_t top);

#endif
