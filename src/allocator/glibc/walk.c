/* walk.c - see walk.h. */
#include "allocator/glibc/walk.h"

#include <string.h>

#include "allocator/glibc/arena.h"
#include "allocator/glibc/chain.h"
#include "allocator/glibc/lists.h"
#include "allocator/glibc/walk_chain.h"
#include "base/checked.h"
#include "base/clock.h"

/* Why the fast loop ended. */
enum stop_reason {
    AT_LIMIT,   /* arrived at top or the terminator */
    BAD_SIZE,   /* the header at `at` cannot be, or is a fence */
    BAD_FOOTER, /* free, but its size is not repeated behind it */
    HOLE,       /* the header behind `at` cannot be read */
    STOPPED,    /* a sink wants no more */
    TIMED_OUT,
    FAILED
};

void walk_flush(struct walk *walk)
{
    for (size_t i = 0; i < walk->sink_count && walk->batch_count; i++)
        if (!walk->sinks[i]->consume(walk->sinks[i], walk->batch, walk->batch_count))
            walk->is_stopped = true;
    walk->batch_count = 0;
}

void walk_emit(struct walk *walk, const struct chunk *chunk)
{
    walk->batch[walk->batch_count++] = *chunk;
    if (walk->batch_count == WALK_BATCH)
        walk_flush(walk);
}

enum status walk_enter_slice(struct walk *walk, const struct glibc_segment *segment, uint64_t address,
                             struct error *err)
{
    uint64_t slice = marks_slice_of(walk->marks, segment, address);
    if (slice == walk->marks->slice)
        return STATUS_OK;
    marks_begin_slice(walk->marks, slice);
    if (slice >= walk->marks->slice_count)
        return STATUS_OK;
    return lists_mark(walk->heap, walk->marks, err);
}

/* Sum up a chunk that is free by the header behind it and on no followed list. */
static void add_binned(struct bin_sums *sums, uint64_t address, uint64_t size, uint64_t fd, uint64_t bk)
{
    sums->min_bytes = sums->tally.chunks ? min_u64(sums->min_bytes, size) : size;
    sums->max_bytes = max_u64(sums->max_bytes, size);
    sums->tally.chunks++;
    sums->tally.bytes += size;
    sums->address_sum += address;
    sums->fd_sum += fd;
    sums->bk_sum += bk;
}

/* Move the window to the header at @next. */
static enum stop_reason slide(struct walk_chain *chain, uint64_t next)
{
    struct walk *walk = chain->walk;
    unsigned word = walk->heap->layout->word_bytes;
    if (walk->is_stopped)
        return STOPPED;
    if (clock_monotonic_ns() > walk->heap->deadline_ns)
        return TIMED_OUT;
    uint64_t need = min_u64(4u * word, chain->end - next);
    if (next >= chain->slice_end) {
        if (walk_enter_slice(walk, chain->segment, next, NULL) != STATUS_OK)
            return FAILED;
        chain->slice_end = marks_slice_end(walk->marks, chain->segment, next);
    }
    /* chunks that begin in the window must all have their marks in the slice held */
    uint64_t read_limit = max_u64(min_u64(chain->end, chain->slice_end), next + need);
    if (!window_load(&walk->window, next, need, read_limit))
        return HOLE;
    chain->checkpoints[chain->checkpoint_count++ % CHECKPOINTS] = next;
    return AT_LIMIT;
}

/*
 * The fast loop: from header to header while nothing is odd. @word is a constant at each call, so that the
 * compiler makes a loop for each width.
 */
static inline __attribute__((always_inline)) enum stop_reason run(struct walk_chain *chain, unsigned word)
{
    struct walk *walk = chain->walk;
    struct glibc_heap *heap = walk->heap;
    struct window *window = &walk->window;
    const struct glibc_layout *layout = heap->layout;
    const uint64_t alignment_mask = layout->alignment - 1, min_size = layout->min_size, need = 4u * word;
    const bool is_binned_marked = chain->arena->are_bins_marked;
    const uint32_t arena_index = chain->arena->index;
    const uint8_t header_bytes = (uint8_t)(2 * word);
    /* an older sub-heap ends with a fence that can look like a chunk of 32 bytes, but for the flag N */
    const bool has_fence = !chain->segment->has_top && !chain->segment->is_main;
    uint64_t at = chain->at, field = chain->field, headers = 0;
    enum stop_reason reason = AT_LIMIT;
    while (at != chain->limit) {
        uint64_t size = field & ~(uint64_t)CHUNK_FLAGS, next = at + size;
        if (size < min_size || (size & alignment_mask) || next > chain->limit || next < at) {
            reason = BAD_SIZE;
            break;
        }
        const uint8_t *here = window_at(window, at);
        uint64_t fd = 0, bk = 0;
        enum mark mark = marks_get(walk->marks, chain->segment, at);
        bool has_moved = false;
        if (next + need > window->end) {
            if (at + need <= window->end) {
                fd = heap_word(heap, here + 2 * word);
                bk = heap_word(heap, here + 3 * word);
            }
            window->headers += headers;
            headers = 0;
            if (!window_has(window, next, min_u64(need, chain->end - next))) {
                reason = slide(chain, next);
                if (reason != AT_LIMIT)
                    break;
                has_moved = true;
            }
        }
        const uint8_t *there = window_at(window, next);
        uint64_t next_field = heap_word(heap, there + word);
        struct chunk *chunk = &walk->batch[walk->batch_count];
        if (next_field & CHUNK_PREV_IN_USE) {
            chunk->state = mark == MARK_TCACHE    ? CHUNK_TCACHE
                           : mark == MARK_FASTBIN ? CHUNK_FASTBIN
                                                  : CHUNK_IN_USE;
            if (has_fence && next == chain->limit && !(field & CHUNK_NON_MAIN)) {
                chain->arena->overhead_bytes += size;
                at = next;
                field = next_field;
                continue;
            }
        } else {
            if (heap_word(heap, there) != size) {
                reason = BAD_FOOTER;
                break;
            }
            if (!has_moved) {
                fd = heap_word(heap, here + 2 * word);
                bk = heap_word(heap, here + 3 * word);
            }
            if ((mark == MARK_SIDE) != is_binned_marked) {
                chunk->state = CHUNK_UNSORTED;
                add_binned(&chain->arena->bins[GLIBC_UNSORTED], at, size, fd, bk);
            } else {
                chunk->state = layout_is_small(layout, size) ? CHUNK_SMALL : CHUNK_LARGE;
                add_binned(&chain->arena->bins[layout_bin_index(layout, size)], at, size, fd, bk);
            }
        }
        chunk->address = at;
        chunk->size = size;
        chunk->arena = arena_index;
        chunk->prev_in_use = field & CHUNK_PREV_IN_USE;
        chunk->header_bytes = header_bytes;
        if (++walk->batch_count == WALK_BATCH)
            walk_flush(walk);
        at = next;
        field = next_field;
        headers++;
    }
    window->headers += headers;
    chain->at = at;
    chain->field = field;
    return reason;
}

/* Top moved while a live heap was walked: true where there is more to walk now. */
static bool follow_moved_top(struct walk_chain *chain)
{
    struct glibc_heap *heap = chain->walk->heap;
    if (heap->is_held || !chain->segment->has_top)
        return false;
    uint64_t old = chain->arena->top_addr;
    chain->arena->has_moved = true;
    if (arena_refresh(heap, chain->arena) != STATUS_OK || chain->arena->top_addr == old)
        return false;
    uint64_t top = chain->arena->top_addr, end = top + chain->arena->top_bytes;
    bool is_same_heap = chain->segment->is_main
                            ? top >= chain->segment->start && !(chain->arena->flags & ARENA_NONCONTIGUOUS)
                            : align_down(top, heap->heap_max_bytes) == chain->segment->base;
    if (!is_same_heap || end < top)
        return false;
    if (top >= chain->limit || chain->at <= top) {
        chain->limit = top;
        chain->end = end;
        window_forget(&chain->walk->window);
        return chain->at <= top && chain_seek(chain, chain->at);
    }
    return false;
}

/* Arrived at top: the arena's last chunk, to the end of the segment. */
static void take_top(struct walk_chain *chain)
{
    struct glibc_heap *heap = chain->walk->heap;
    uint64_t size = chain->field & ~(uint64_t)CHUNK_FLAGS;
    if (chain->at + size != chain->end)
        chain->arena->walked_end_difference += distance_u64(chain->at + size, chain->end);
    struct chunk top = {.address = chain->at,
                        .size = size,
                        .arena = chain->arena->index,
                        .state = CHUNK_TOP,
                        .prev_in_use = chain->field & CHUNK_PREV_IN_USE,
                        .header_bytes = (uint8_t)heap_header_bytes(heap)};
    walk_emit(chain->walk, &top);
}

/* Arrived at the size-0 header that closes an older sub-heap, or at the end of a scattered run. */
static void take_terminator(struct walk_chain *chain)
{
    chain->arena->overhead_bytes += chain->end - chain->at;
    if ((chain->field & ~(uint64_t)CHUNK_FLAGS) != 0)
        chain->arena->walked_end_difference += chain->end - chain->at;
}

/* A run of the main arena ends here with fenceposts: go on behind the foreign bytes, if more is to come. */
static bool cross_gap(struct walk_chain *chain, bool *is_end)
{
    struct walk *walk = chain->walk;
    uint64_t fence_end = chain_fence_end(&walk->window, chain->at, chain->end);
    *is_end = false;
    if (fence_end == 0)
        return false;
    if (fence_end >= chain->end) {
        chain->arena->overhead_bytes += chain->end - chain->at;
        *is_end = true;
        return true;
    }
    uint64_t start = chain_find_start(&walk->window, fence_end, chain->end, chain->limit);
    if (start == 0 || start > chain->limit)
        return false;
    chain->arena->overhead_bytes += start - chain->at;
    chain->arena->heaps++;
    if (walk_enter_slice(walk, chain->segment, start, NULL) == STATUS_OK)
        chain->slice_end = marks_slice_end(walk->marks, chain->segment, start);
    return chain_seek(chain, start);
}

/* Deal with what the fast loop could not; true: go on. */
static bool handle(struct walk_chain *chain, enum stop_reason reason)
{
    uint64_t size = chain->field & ~(uint64_t)CHUNK_FLAGS;
    struct glibc_heap *heap = chain->walk->heap;
    if (reason == HOLE)
        return recover_hole(chain, chain->at + size) == RECOVERY_RESUMED;
    if (reason == BAD_SIZE && size == heap_header_bytes(heap)) {
        bool is_end;
        if (chain->segment->is_main && cross_gap(chain, &is_end))
            return !is_end;
        if (!chain->segment->is_main && !chain->segment->has_top && chain->at + size == chain->limit) {
            chain->arena->overhead_bytes += size;
            return chain_seek(chain, chain->limit);
        }
    }
    if (follow_moved_top(chain))
        return true;
    return recover_broken(chain, reason == BAD_FOOTER ? NOTE_BAD_FOOTER : NOTE_BAD_SIZE) == RECOVERY_RESUMED;
}

static enum status begin(struct walk_chain *chain, struct walk *walk, const struct glibc_segment *segment,
                         struct error *err)
{
    struct glibc_heap *heap = walk->heap;
    *chain = (struct walk_chain){
        .walk = walk, .segment = segment, .arena = &heap->arenas[segment->arena], .end = segment->end};
    chain->limit = segment->has_top ? chain->arena->top_addr : segment->end - heap_header_bytes(heap);
    if (segment->is_main && !segment->has_top)
        chain->limit = segment->end;
    enum status status = walk_enter_slice(walk, segment, segment->start, err);
    if (status != STATUS_OK)
        return status;
    chain->slice_end = marks_slice_end(walk->marks, segment, segment->start);
    window_forget(&walk->window);
    chain->at = segment->start;
    return STATUS_OK;
}

enum status walk_segment(struct walk *walk, const struct glibc_segment *segment, struct error *err)
{
    struct walk_chain chain;
    enum status status = begin(&chain, walk, segment, err);
    if (status != STATUS_OK)
        return status;
    bool goes_on =
        chain_seek(&chain, segment->start) || recover_hole(&chain, segment->start) == RECOVERY_RESUMED;
    while (goes_on) {
        enum stop_reason reason = walk->heap->layout->word_bytes == 8 ? run(&chain, 8) : run(&chain, 4);
        if (reason == STOPPED)
            return STATUS_STOPPED;
        if (reason == TIMED_OUT || reason == FAILED)
            return error_set(err, reason == FAILED ? STATUS_NO_MEMORY : STATUS_TIMEOUT,
                             "the time for the scan ran out in the heap at 0x%llx",
                             (unsigned long long)chain.at);
        if (reason != AT_LIMIT) {
            goes_on = handle(&chain, reason);
            continue;
        }
        if (segment->has_top && follow_moved_top(&chain))
            continue;
        if (segment->has_top)
            take_top(&chain);
        else
            take_terminator(&chain);
        goes_on = false;
    }
    return walk->is_stopped ? STATUS_STOPPED : STATUS_OK;
}
