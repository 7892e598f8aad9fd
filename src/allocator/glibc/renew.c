/*
 * renew.c - what the books of a live process say of a segment now: its top may have moved, its heap may have
 * been closed by a newer one, or be the newest again, or be gone.
 */
#include <string.h>

#include "allocator/glibc/arena.h"
#include "allocator/glibc/segments.h"
#include "allocator/glibc/walk_chain.h"
#include "base/checked.h"

#define STATE_BYTES_MAX 8192u

/* Read the arena again and notice any change. */
static bool refresh(struct walk_chain *chain)
{
    struct glibc_arena *arena = chain->arena;
    size_t bytes = (size_t)min_u64((uint64_t)chain->walk->heap->layout->state.size, STATE_BYTES_MAX);
    uint8_t before[STATE_BYTES_MAX];
    memcpy(before, arena->state, bytes);
    if (arena_refresh(chain->walk->heap, arena) != STATUS_OK)
        return false;
    arena->has_moved = arena->has_moved || memcmp(before, arena->state, bytes) != 0;
    return true;
}

static enum chain_news set_end(struct walk_chain *chain, bool has_top, uint64_t limit, uint64_t end)
{
    if (chain->has_top == has_top && chain->limit == limit && chain->end == end)
        return CHAIN_SAME;
    chain->has_top = has_top;
    chain->limit = limit;
    chain->end = end;
    chain->arena->has_moved = true;
    return CHAIN_MOVED;
}

enum chain_news chain_renew(struct walk_chain *chain)
{
    struct glibc_heap *heap = chain->walk->heap;
    const struct glibc_arena *arena = chain->arena;
    const struct glibc_segment *segment = chain->segment;
    if (!refresh(chain))
        return CHAIN_GONE;
    /* without a header of top its memory ends where it did */
    uint64_t top = arena->top_addr, end = arena->top_bytes ? top + arena->top_bytes : chain->end;
    if (segment->is_main) {
        bool is_here = top >= segment->start &&
                       (!(arena->flags & ARENA_NONCONTIGUOUS) || top < max_u64(segment->end, chain->end));
        return is_here && end > top ? set_end(chain, true, top, end) : CHAIN_SAME;
    }
    uint64_t heap_bytes = segments_heap_bytes(heap, arena, segment->base);
    if (heap_bytes == 0) {
        chain->arena->has_moved = true;
        return CHAIN_GONE;
    }
    if (align_down(top, heap->heap_max_bytes) != segment->base)
        return set_end(chain, false, segment->base + heap_bytes - HEAP_TERMINATOR_BYTES,
                       segment->base + heap_bytes);
    return end > top && end - segment->base <= heap->heap_max_bytes ? set_end(chain, true, top, end)
                                                                    : CHAIN_SAME;
}
