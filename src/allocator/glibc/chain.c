/* chain.c - see chain.h. */
#include "allocator/glibc/chain.h"

#include "allocator/glibc/segments.h"
#include "base/checked.h"
#include "base/clock.h"

#define FENCES_MAX 3u
/* a chain of this many sound headers is no accident in foreign bytes */
#define HOPS_BELIEVED 64u
#define CLOCK_EVERY 256u

static bool read_field(struct window *window, uint64_t address, uint64_t limit, uint64_t *field)
{
    unsigned word = window->heap->layout->word_bytes;
    if (address + 2u * word > limit || !window_load(window, address, 2u * word, limit))
        return false;
    window->headers++;
    *field = heap_word(window->heap, window_at(window, address) + word);
    return true;
}

uint64_t chain_fence_end(struct window *window, uint64_t address, uint64_t limit)
{
    uint64_t header = heap_header_bytes(window->heap), page = window->heap->target->page_bytes;
    for (unsigned n = 1; n <= FENCES_MAX; n++) {
        uint64_t field;
        if (!read_field(window, address, limit, &field) || (field & ~(uint64_t)CHUNK_PREV_IN_USE) != header)
            return 0;
        address += header;
        /* word size 4: the fences end 8 bytes before the boundary */
        if (align_up(address, page) - address < window->heap->layout->alignment && n > 1)
            return align_up(address, page);
    }
    return 0;
}

enum chain_end chain_follow(struct window *window, uint64_t start, uint64_t limit, uint64_t top,
                            uint64_t hops_max, uint64_t *end_ret)
{
    const struct glibc_layout *layout = window->heap->layout;
    uint64_t at = start, previous_size = 0;
    for (uint64_t hop = 0; hop < hops_max; hop++) {
        uint64_t field;
        *end_ret = at;
        if (!read_field(window, at, limit, &field))
            return CHAIN_BROKEN;
        uint64_t size = field & ~(uint64_t)CHUNK_FLAGS;
        bool is_previous_free = !(field & CHUNK_PREV_IN_USE);
        if (is_previous_free && (hop == 0 || heap_word(window->heap, window_at(window, at)) != previous_size))
            return CHAIN_BROKEN;
        if (at == top)
            return CHAIN_TOP;
        if (size == heap_header_bytes(window->heap)) {
            *end_ret = chain_fence_end(window, at, limit);
            return *end_ret ? CHAIN_FENCE : CHAIN_BROKEN;
        }
        if (size < layout->min_size || !is_aligned(size, layout->alignment) ||
            (field & (CHUNK_IS_MMAPPED | CHUNK_NON_MAIN)) || size > limit - at)
            return CHAIN_BROKEN;
        previous_size = size;
        at += size;
    }
    *end_ret = at;
    return CHAIN_HOPS;
}

uint64_t chain_find_start(struct window *window, uint64_t from, uint64_t limit, uint64_t top)
{
    uint64_t step = window->heap->layout->alignment, page = window->heap->target->page_bytes;
    unsigned tries = 0;
    for (uint64_t at = segments_first_chunk(window->heap, from); at < limit;) {
        uint64_t field, end;
        if (++tries % CLOCK_EVERY == 0 && clock_monotonic_ns() > window->heap->deadline_ns)
            return 0;
        if (!read_field(window, at, limit, &field)) {
            at = segments_first_chunk(window->heap, align_down(at, page) + page);
            continue;
        }
        if ((field & CHUNK_FLAGS) == CHUNK_PREV_IN_USE &&
            chain_follow(window, at, limit, top, HOPS_BELIEVED, &end) != CHAIN_BROKEN)
            return at;
        at += step;
    }
    return 0;
}
