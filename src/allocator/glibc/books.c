/* books.c - see books.h. */
#include "allocator/glibc/books.h"

#include <string.h>

#include "allocator/glibc/alibi.h"
#include "allocator/glibc/arena.h"
#include "allocator/glibc/lists.h"
#include "base/checked.h"

#define STATE_BYTES_MAX 8192u

/* Add the outcome for one libc or arena: absent stays absent, one failure fails the check. */
static void add_result(struct check_result *result, bool is_known, bool is_reconciled, uint64_t difference)
{
    result->is_known = result->is_known && is_known;
    result->is_reconciled = result->is_reconciled && is_reconciled;
    result->difference_bytes += difference;
}

/*
 * Whether the links of the members seen are exactly the list that the head begins and ends. Where unsorted
 * was told behind the walk (links.h) only one direction is known by bin; it proves each member as well.
 */
static bool are_links_sound(const struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin)
{
    const struct bin_sums *sums = &arena->bins[bin];
    uint64_t wanted = sums->address_sum + heap_bin_head(heap, arena, bin);
    return sums->fd_sum + heap_bin_first(heap, arena, bin) == wanted &&
           (arena->are_links_noted || sums->bk_sum + heap_bin_last(heap, arena, bin) == wanted);
}

static bool is_unused(const struct glibc_heap *heap, const struct glibc_arena *arena)
{
    return heap_bin_first(heap, arena, GLIBC_UNSORTED) == 0;
}

static void settle_bin(struct glibc_heap *heap, struct glibc_arena *arena, unsigned bin,
                       struct totals *totals)
{
    struct bin_sums listed;
    if (!lists_follow_bin(heap, arena, bin, &listed)) {
        heap_note_corrupt(heap, NOTE_BAD_LINK, heap_bin_head(heap, arena, bin), arena->index);
        return;
    }
    struct bin_sums *walked = &arena->bins[bin];
    if (walked->tally.chunks <= listed.tally.chunks || walked->tally.bytes <= listed.tally.bytes)
        return;
    uint64_t count = walked->tally.chunks - listed.tally.chunks,
             bytes = walked->tally.bytes - listed.tally.bytes;
    enum chunk_state state = bin == GLIBC_UNSORTED                              ? CHUNK_UNSORTED
                             : layout_is_small(heap->layout, walked->min_bytes) ? CHUNK_SMALL
                                                                                : CHUNK_LARGE;
    completeness_note(&heap->completeness, NOTE_ORPHAN, walked->address_sum - listed.address_sum,
                      arena->index);
    totals_move(totals, arena->index, state, CHUNK_IN_USE, count, bytes);
    listed.fd_sum = walked->fd_sum;
    listed.bk_sum = walked->bk_sum;
    *walked = listed;
    heap->orphans += (uint32_t)count;
    heap->are_bins_doubtful = true;
}

void books_settle_orphans(struct glibc_heap *heap, struct totals *totals)
{
    for (size_t i = 0; i < heap->arena_count; i++) {
        struct glibc_arena *arena = &heap->arenas[i];
        if (arena->is_lost || arena->unread_bytes || is_unused(heap, arena))
            continue;
        for (unsigned bin = GLIBC_UNSORTED; bin < GLIBC_BIN_COUNT; bin++)
            if (!are_links_sound(heap, arena, bin))
                settle_bin(heap, arena, bin, totals);
    }
}

static bool are_bins_exact(const struct glibc_heap *heap, const struct glibc_arena *arena,
                           const struct totals *totals)
{
    if (is_unused(heap, arena))
        return true;
    struct tally fast = {0};
    for (unsigned i = 0; i < GLIBC_FASTBIN_MAX; i++) {
        fast.chunks += arena->fast[i].tally.chunks;
        fast.bytes += arena->fast[i].tally.bytes;
    }
    const struct tally *walked_fast = &totals->arenas[arena->index][CHUNK_FASTBIN];
    if (fast.chunks != walked_fast->chunks || fast.bytes != walked_fast->bytes)
        return false;
    for (unsigned bin = 1; bin < GLIBC_BIN_COUNT; bin++)
        if (!are_links_sound(heap, arena, bin))
            return false;
    return true;
}

/* The chunks at the ends of the bins' lists: their size fields, as memory says now. */
struct bin_ends {
    size_t count;
    unsigned bins[2 * GLIBC_BIN_COUNT];
    uint8_t fields[2 * GLIBC_BIN_COUNT][sizeof(uint64_t)];
    struct target_part parts[2 * GLIBC_BIN_COUNT];
};

static void add_end(struct bin_ends *ends, const struct glibc_heap *heap, unsigned bin, uint64_t chunk)
{
    unsigned word = heap->layout->word_bytes;
    ends->bins[ends->count] = bin;
    ends->parts[ends->count] =
        (struct target_part){.address = chunk + word, .data = ends->fields[ends->count], .length = word};
    ends->count++;
}

/* Whether each has a size of its bin. */
static bool are_ends_of_class(const struct glibc_heap *heap, struct bin_ends *ends)
{
    target_read_parts(heap->target, ends->parts, ends->count);
    for (size_t i = 0; i < ends->count; i++) {
        uint64_t size = heap_word(heap, ends->fields[i]) & ~(uint64_t)CHUNK_FLAGS;
        if (!ends->parts[i].is_read || layout_bin_index(heap->layout, size) != ends->bins[i])
            return false;
    }
    return true;
}

/* Live: a bin is empty exactly if no chunk of its class was seen, and its ends are chunks of its class. */
static bool are_bins_plausible(const struct glibc_heap *heap, const struct glibc_arena *arena)
{
    struct bin_ends ends = {0};
    for (unsigned bin = 2; bin < GLIBC_BIN_COUNT; bin++) {
        uint64_t head = heap_bin_head(heap, arena, bin);
        uint64_t first = heap_bin_first(heap, arena, bin), last = heap_bin_last(heap, arena, bin);
        bool is_seen = arena->bins[bin].tally.chunks > 0, is_empty = first == head || first == 0;
        if (is_seen == is_empty)
            return false;
        if (is_empty)
            continue;
        add_end(&ends, heap, bin, first);
        if (last != first)
            add_end(&ends, heap, bin, last);
    }
    return are_ends_of_class(heap, &ends);
}

/* Whether what was walked is what the book said before or after, or something between. */
static bool is_system_between(const struct glibc_arena *arena, const struct totals *totals,
                              uint64_t book_after)
{
    uint64_t walked = totals_arena_bytes(totals, arena->index) + arena->overhead_bytes + arena->unread_bytes;
    return walked >= min_u64(arena->system_bytes_before, book_after) &&
           walked <= max_u64(arena->system_bytes_before, book_after);
}

static void check_system(const struct glibc_arena *arena, const struct totals *totals, uint64_t book_after,
                         bool moved, struct check_result *result)
{
    uint64_t walked = totals_arena_bytes(totals, arena->index) + arena->overhead_bytes + arena->unread_bytes;
    bool sound = is_system_between(arena, totals, book_after);
    if (arena->is_lost || arena->unread_bytes)
        add_result(result, false, true, 0);
    else
        add_result(result, sound || !moved, sound || moved,
                   sound || moved ? 0 : distance_u64(walked, book_after));
}

/* An arena of a heap that runs. */
struct running {
    const struct glibc_heap *heap;
    const struct glibc_arena *arena;
};

/* Whether the books of the arena are others by now than they were. */
static bool has_moved(void *context)
{
    const struct running *running = context;
    const struct glibc_arena *arena = running->arena;
    uint8_t state[STATE_BYTES_MAX];
    size_t bytes = (size_t)running->heap->layout->state.size;
    return arena->has_moved || bytes > sizeof state ||
           target_read_exact(running->heap->target, arena->addr, state, bytes) != STATUS_OK ||
           memcmp(state, arena->state, bytes) != 0;
}

/*
 * A thread that was put aside in the midst of malloc leaves books that stand still and do not agree with its
 * heap: a check of a live process fails only where that lasts, and none can be.
 */
static bool will_move(const struct glibc_heap *heap, const struct glibc_arena *arena)
{
    struct running running = {heap, arena};
    return !alibi_stands(&(struct claim){.target = heap->target,
                                         .has_moved = has_moved,
                                         .context = &running,
                                         .is_locked = arena->mutex != 0,
                                         .deadline_ns = heap->deadline_ns});
}

static void check_arena(struct glibc_heap *heap, struct glibc_arena *arena, const struct totals *totals,
                        struct check_result checks[CHECK_COUNT])
{
    struct glibc_arena after = *arena;
    uint8_t state[STATE_BYTES_MAX];
    after.state = state;
    bool is_read = !heap->is_held && (size_t)heap->layout->state.size <= sizeof state &&
                   arena_refresh(heap, &after) == STATUS_OK;
    const struct glibc_arena *book = is_read ? &after : arena;
    bool is_lost = arena->is_lost || arena->unread_bytes;
    bool is_end_sound = arena->walked_end_difference == 0;
    bool are_bins_sound = is_lost || heap->is_held || are_bins_plausible(heap, arena);
    bool is_system_sound = is_lost || is_system_between(arena, totals, book->system_bytes);
    bool moved = !heap->is_held && !is_lost && !(is_end_sound && are_bins_sound && is_system_sound) &&
                 will_move(heap, arena);
    check_system(arena, totals, book->system_bytes, moved, &checks[CHECK_SYSTEM_BYTES]);
    add_result(&checks[CHECK_TOP], !is_lost && (is_end_sound || !moved), is_end_sound || is_lost || moved,
               is_lost || moved ? 0 : arena->walked_end_difference);
    if (is_lost)
        add_result(&checks[CHECK_BINS], false, true, 0);
    else if (heap->is_held)
        add_result(&checks[CHECK_BINS], !heap->are_bins_doubtful, are_bins_exact(heap, arena, totals), 0);
    else
        add_result(&checks[CHECK_BINS], are_bins_sound || !moved, are_bins_sound || moved, 0);
}

void books_check(struct glibc_heap *heap, const struct totals *totals,
                 struct check_result checks[CHECK_COUNT])
{
    add_result(&checks[CHECK_ARENA_RING], true, heap->is_ring_closed, 0);
    for (size_t i = 0; i < heap->arena_count; i++)
        check_arena(heap, &heap->arenas[i], totals, checks);
}

static void check_between(uint64_t found, uint64_t before, uint64_t after, bool moved,
                          struct check_result *result)
{
    bool sound = found >= min_u64(before, after) && found <= max_u64(before, after);
    add_result(result, sound || (before == after && !moved), sound, sound ? 0 : distance_u64(found, after));
}

/* Since 2.43 each mremap leaves a header's bytes too many in the book, for good. */
static uint64_t without_mremap_errors(const struct tally *found, const struct glibc_par *par)
{
    bool is_explained = par->mremap_error_bytes != 0 && par->mmapped_mem > found->bytes &&
                        par->n_mmaps == found->chunks &&
                        (par->mmapped_mem - found->bytes) % par->mremap_error_bytes == 0;
    return is_explained ? found->bytes : par->mmapped_mem;
}

void books_check_mmapped(const struct tally *found, const struct glibc_par *before,
                         const struct glibc_par *after, bool moved, struct check_result checks[CHECK_COUNT])
{
    if (!before->is_known || !after->is_known) {
        checks[CHECK_MMAPPED_CHUNKS].is_known = checks[CHECK_MMAPPED_BYTES].is_known = false;
        return;
    }
    check_between(found->chunks, before->n_mmaps, after->n_mmaps, moved, &checks[CHECK_MMAPPED_CHUNKS]);
    check_between(found->bytes, without_mremap_errors(found, before), without_mremap_errors(found, after),
                  moved, &checks[CHECK_MMAPPED_BYTES]);
    checks[CHECK_MMAPPED_CHUNKS].difference_bytes = 0;
}
