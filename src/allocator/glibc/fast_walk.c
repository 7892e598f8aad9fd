/* fast_walk.c - see fast_walk.h. */
#include "allocator/glibc/fast_walk.h"

#include "allocator/glibc/links.h"
#include "base/checked.h"
#include "base/clock.h"

/* How far ahead of the chunk under way memory is asked for; the window lies in the second-level cache. */
#define PREFETCH_BYTES 512

/* Sum up a chunk that is free by the header behind it and on no followed list. */
static inline void add_binned(struct bin_sums *sums, uint64_t address, uint64_t size, uint64_t fd,
                              uint64_t bk)
{
    bin_sums_count(sums, size);
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
    uint64_t now_ns = clock_monotonic_ns();
    if (now_ns > walk->heap->deadline_ns)
        return TIMED_OUT;
    if (now_ns > walk->pause_at_ns || walk->is_full)
        return PAUSED;
    uint64_t need = min_u64(4u * word, chain->end - next);
    /* while the target stands still no lists are followed: the slice of time ends there */
    bool may_enter = walk->pause_at_ns == UINT64_MAX;
    enum status status =
        next >= chain->slice_end && may_enter ? chain_enter_slice(chain, next, NULL) : STATUS_OK;
    if (status != STATUS_OK)
        return status == STATUS_TIMEOUT ? TIMED_OUT : FAILED;
    /* chunks that begin in the window must all have their marks in the slice held */
    uint64_t read_limit = max_u64(min_u64(chain->end, chain->slice_end), next + need);
    if (!chain_load(chain, next, need, read_limit))
        return HOLE;
    chain->checkpoints[chain->checkpoint_count++ % CHECKPOINTS] = next;
    return AT_LIMIT;
}

/* One step of the walk: a chunk, its links, and what the header behind it says of it. */
struct step {
    uint64_t at, size, field;
    uint64_t fd, bk;
    bool has_links;              /* these two were read */
    uint64_t footer, next_field; /* prev_size and size field behind it */
    enum mark mark;
};

/* The state of a chunk that the header behind it calls free, and its sums. */
static inline enum chunk_state take_free(struct walk_chain *chain, const struct step *step)
{
    struct glibc_arena *arena = chain->arena;
    struct glibc_heap *heap = chain->walk->heap;
    unsigned bin = layout_bin_index(heap->layout, step->size);
    if (arena->are_links_noted) {
        /* it counts as binned until links.c knows better */
        links_note(heap, chain->segment, step->at, step->size, step->fd);
    } else if ((step->mark == MARK_SIDE) != arena->are_bins_marked) {
        bin = GLIBC_UNSORTED;
    }
    add_binned(&arena->bins[bin], step->at, step->size, step->fd, step->bk);
    return bin == GLIBC_UNSORTED ? CHUNK_UNSORTED : bin < LAYOUT_BIN_LARGE_FIRST ? CHUNK_SMALL : CHUNK_LARGE;
}

/* Hand over the chunk of @step in its state. BAD_FOOTER: it is free, but its size is not repeated behind it.
 */
static inline enum stop_reason take(struct walk_chain *chain, const struct step *step, bool is_at_fence_end,
                                    uint8_t header_bytes)
{
    static const uint8_t STATE_OF_MARK[] = {[MARK_NONE] = CHUNK_IN_USE,
                                            [MARK_TCACHE] = CHUNK_TCACHE,
                                            [MARK_FASTBIN] = CHUNK_FASTBIN,
                                            [MARK_SIDE] = CHUNK_IN_USE};
    struct walk *walk = chain->walk;
    enum chunk_state state = STATE_OF_MARK[step->mark];
    if (!(step->next_field & CHUNK_PREV_IN_USE)) {
        if (step->footer != step->size)
            return BAD_FOOTER;
        if (!step->has_links)
            return HOLE;
        state = take_free(chain, step);
    } else if (is_at_fence_end && !(step->field & CHUNK_NON_MAIN)) {
        chain->arena->overhead_bytes += step->size;
        return AT_LIMIT;
    }
    walk->batch[walk->batch_count] = (struct chunk){.address = step->at,
                                                    .size = step->size,
                                                    .arena = chain->arena->index,
                                                    .state = (uint8_t)state,
                                                    .prev_in_use = step->field & CHUNK_PREV_IN_USE,
                                                    .header_bytes = header_bytes};
    if (++walk->batch_count == WALK_BATCH)
        walk_flush(walk);
    return AT_LIMIT;
}

/* Look at a step whose next header lies at or beyond the end of the window, which moves there. */
static enum stop_reason look_beyond(struct walk_chain *chain, struct step *step, uint64_t *headers)
{
    struct window *window = &chain->walk->window;
    struct glibc_heap *heap = chain->walk->heap;
    unsigned word = heap->layout->word_bytes;
    uint64_t next = step->at + step->size;
    window->headers += *headers;
    *headers = 0;
    step->has_links = window_has(window, step->at, 4u * word);
    if (step->has_links) {
        step->fd = heap_word(heap, window_at(window, step->at) + 2u * word);
        step->bk = heap_word(heap, window_at(window, step->at) + 3u * word);
    }
    if (next >= chain->slice_end || !window_has(window, next, min_u64(4u * word, chain->end - next))) {
        enum stop_reason reason = slide(chain, next);
        if (reason != AT_LIMIT)
            return reason;
    }
    step->footer = heap_word(heap, window_at(window, next));
    step->next_field = heap_word(heap, window_at(window, next) + word);
    return AT_LIMIT;
}

/* What the fast loop reads of the window and the marks, held where no store can change it. */
struct view {
    const uint8_t *data;
    uint64_t start, last; /* of the window; the last address from which a step's bytes are held */
    const uint64_t *map;
    uint64_t origin; /* the address of the map's first place, modulo 2^64 */
    unsigned shift;
};

static inline struct view view_of(const struct walk_chain *chain, uint64_t need)
{
    const struct window *window = &chain->walk->window;
    const struct marks *marks = chain->walk->marks;
    return (struct view){.data = window->data,
                         .start = window->start,
                         .last = min_u64(window->end > need ? window->end - need : 0, chain->slice_end - 1),
                         .map = marks->map,
                         .origin = chain->segment->start - chain->segment->virtual_start +
                                   marks->slice * marks->slice_bytes,
                         .shift = marks->shift};
}

static inline enum mark mark_in(const struct view *view, uint64_t address)
{
    uint64_t place = (address - view->origin) >> view->shift;
    return (enum mark)(view->map[place / 32] >> (place % 32 * 2) & 3);
}

static inline enum stop_reason look_inside(const struct view *view, struct step *step, unsigned word)
{
    const uint8_t *here = view->data + (step->at - view->start), *there = here + step->size;
    step->footer = word_of(there, word);
    step->next_field = word_of(there + word, word);
    step->fd = word_of(here + 2 * word, word);
    step->bk = word_of(here + 3 * word, word);
    step->has_links = true;
    return AT_LIMIT;
}

/* Whether what the window holds, and the chunk under way, can have a mark. */
static bool has_marks_here(const struct walk_chain *chain)
{
    const struct window *window = &chain->walk->window;
    uint64_t from = max_u64(chain->segment->start, min_u64(chain->at, window->start));
    return chain->has_marks &&
           marks_may_be_in(chain->walk->marks, chain->segment, from, max_u64(chain->at + 1, window->end));
}

/*
 * The fast loop: from header to header while nothing is odd. @word and @has_marks are constants at each call,
 * so that the compiler makes a loop for each. What it waits for is the next header: memory is asked for
 * ahead, and all else runs beside it.
 */
static inline __attribute__((always_inline)) enum stop_reason run(struct walk_chain *chain, unsigned word,
                                                                  bool has_marks)
{
    struct walk *walk = chain->walk;
    const struct glibc_layout *layout = walk->heap->layout;
    const uint64_t alignment_mask = layout->alignment - 1, min_size = layout->min_size, limit = chain->limit;
    const uint64_t counted_bytes = walk->wants_each ? 0 : WALK_COUNTED_BYTES;
    /* an older sub-heap ends with a fence that can look like a chunk of 32 bytes, but for the flag N */
    const uint64_t fence_end = !chain->has_top && !chain->segment->is_main ? limit : 0;
    struct view view = view_of(chain, 4u * word);
    uint64_t at = chain->at, field = chain->field, headers = 0;
    enum stop_reason reason = AT_LIMIT;
    while (at != limit && reason == AT_LIMIT) {
        uint64_t size = field & ~(uint64_t)CHUNK_FLAGS, next = at + size;
        if (__builtin_expect(size < min_size || (size & alignment_mask) || next > limit || next < at, 0)) {
            reason = BAD_SIZE;
            break;
        }
        enum mark mark = has_marks ? mark_in(&view, at) : MARK_NONE;
        bool is_inside = next <= view.last;
        uint64_t next_field = 0;
        if (__builtin_expect(is_inside, 1)) {
            const uint8_t *there = view.data + (next - view.start);
            __builtin_prefetch(there + PREFETCH_BYTES);
            next_field = word_of(there + word, word);
        }
        if ((next_field & CHUNK_PREV_IN_USE) && mark == MARK_NONE && size < counted_bytes &&
            next != fence_end) {
            walk->used_counts[size >> WALK_COUNTED_SHIFT]++;
        } else {
            struct step step = {.at = at, .size = size, .field = field, .mark = mark};
            reason = is_inside ? look_inside(&view, &step, word) : look_beyond(chain, &step, &headers);
            if (reason == AT_LIMIT)
                reason = take(chain, &step, next == fence_end, (uint8_t)(2 * word));
            if (reason != AT_LIMIT)
                break;
            next_field = step.next_field;
            if (!is_inside) {
                chain->at = next;
                view = view_of(chain, 4u * word);
            }
            if (next >= chain->slice_end)
                reason = PAUSED;
            else if (!is_inside && has_marks_here(chain) != has_marks)
                reason = MARKS_CHANGED;
        }
        at = next;
        field = next_field;
        headers++;
    }
    walk->window.headers += headers;
    chain->at = at;
    chain->field = field;
    return reason;
}

enum stop_reason fast_walk(struct walk_chain *chain)
{
    enum stop_reason reason;
    do {
        bool has_marks = has_marks_here(chain);
        if (chain->walk->heap->layout->word_bytes == 8)
            reason = has_marks ? run(chain, 8, true) : run(chain, 8, false);
        else
            reason = has_marks ? run(chain, 4, true) : run(chain, 4, false);
    } while (reason == MARKS_CHANGED);
    walk_flush_counts(chain->walk, chain->arena->index);
    return reason;
}
