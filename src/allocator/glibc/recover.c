/*
 * recover.c - what the walk does where a chain breaks.
 *
 * Under a stop a broken header is corruption. In a live process it mostly is a heap that moved between two
 * reads: the walk resumes from a boundary that it passed a moment ago, and only what proof.h proves is called
 * corrupt. Behind a break it goes on at the next boundary that can be proved; what lies between is unread.
 */
#include <time.h>

#include "allocator/glibc/proof.h"
#include "allocator/glibc/top.h"
#include "base/checked.h"
#include "base/clock.h"

#define REPLAY_HEADERS_MAX (1u << 20)
/* a chain of that many sound headers is no accident */
#define HOPS_BELIEVED 64u
/* stops after which a place that never shows the same bytes is given up; more than a proof takes */
#define RESUMES_MAX 64u

bool chain_load(struct walk_chain *chain, uint64_t address, uint64_t need, uint64_t limit)
{
    struct window *window = &chain->walk->window;
    uint64_t header = heap_header_bytes(chain->walk->heap);
    return window_load(window, address, need, limit) ||
           (need > header && window_load(window, address, header, limit));
}

bool chain_seek(struct walk_chain *chain, uint64_t address)
{
    struct glibc_heap *heap = chain->walk->heap;
    unsigned word = heap->layout->word_bytes;
    uint64_t need = min_u64(4u * word, chain->end - address);
    if (address >= chain->end || need < 2u * word || !chain_load(chain, address, need, chain->end))
        return false;
    chain->at = address;
    chain->field = heap_word(heap, window_at(&chain->walk->window, address) + word);
    return true;
}

/* First and last members of the bins are chunks of this arena that are provably there. */
static uint64_t next_binned(const struct walk_chain *chain, uint64_t from, uint64_t best)
{
    const struct glibc_heap *heap = chain->walk->heap;
    for (unsigned bin = 1; bin < GLIBC_BIN_COUNT; bin++) {
        uint64_t head = heap_bin_head(heap, chain->arena, bin);
        uint64_t ends[2] = {heap_bin_first(heap, chain->arena, bin), heap_bin_last(heap, chain->arena, bin)};
        for (unsigned i = 0; i < 2; i++)
            if (ends[i] != head && ends[i] > from && ends[i] < best &&
                is_aligned(ends[i] - chain->segment->start, heap->layout->alignment))
                best = ends[i];
    }
    return best;
}

/* The smallest provable boundary behind @from: a list's member, a bin's end, top or the terminator. */
static uint64_t next_boundary(struct walk_chain *chain, uint64_t from)
{
    struct walk *walk = chain->walk;
    uint64_t best = next_binned(chain, from, chain->limit);
    uint64_t step = walk->heap->layout->alignment;
    for (uint64_t at = from + step; at < best;) {
        if (chain_enter_slice(chain, at, NULL) != STATUS_OK || chain->slice_end == UINT64_MAX)
            break;
        uint64_t marked = marks_next(walk->marks, chain->segment, at, best);
        if (marked)
            return marked;
        at = chain->slice_end;
    }
    return best;
}

static enum recovery resume_behind(struct walk_chain *chain, uint64_t lost_from)
{
    chain->arena->is_lost = true;
    uint64_t from = lost_from;
    for (;;) {
        uint64_t boundary = next_boundary(chain, from);
        if (boundary <= from || !chain_seek(chain, boundary)) {
            if (boundary > from && boundary < chain->limit) {
                from = boundary;
                continue;
            }
            chain->arena->unread_bytes += chain->end - lost_from;
            return RECOVERY_ENDED;
        }
        chain->arena->unread_bytes += boundary - lost_from;
        return chain_enter_slice(chain, boundary, NULL) == STATUS_OK ? RECOVERY_RESUMED : RECOVERY_ENDED;
    }
}

/*
 * Go from @checkpoint by fresh reads to the first boundary at or behind chain->at. A chunk that reaches over
 * chain->at is reported from there on, so that no byte is counted twice or lost. False: it broke at *@breach.
 */
static bool replay(struct walk_chain *chain, uint64_t checkpoint, struct breach *breach)
{
    struct walk *walk = chain->walk;
    const struct glibc_layout *layout = walk->heap->layout;
    uint64_t goal = chain->at, at = checkpoint;
    struct walk_chain probe = *chain;
    for (uint64_t n = 0; n < REPLAY_HEADERS_MAX && at < goal; n++) {
        *breach = (struct breach){.at = at};
        if (!chain_seek(&probe, at))
            return false;
        uint64_t size = probe.field & ~(uint64_t)CHUNK_FLAGS;
        breach->field = probe.field;
        if (size < layout->min_size || !is_aligned(size, layout->alignment) || size > chain->limit - at)
            return false;
        at += size;
        if (n % 1024 == 1023 && clock_monotonic_ns() > walk->pause_at_ns)
            return false;
    }
    *breach = (struct breach){.at = at};
    if (at < goal || !chain_seek(&probe, at))
        return false;
    struct chunk rest = {.address = goal,
                         .size = at - goal,
                         .arena = chain->arena->index,
                         .state = probe.field & CHUNK_PREV_IN_USE ? CHUNK_IN_USE : CHUNK_LARGE,
                         .header_bytes = (uint8_t)heap_header_bytes(walk->heap)};
    if (at > goal)
        walk_emit(walk, &rest);
    chain->at = at;
    chain->field = breach->field = probe.field;
    return true;
}

/*
 * Arrive at chain->at or behind it from where the chain was sound a moment ago, at last from the start.
 * Memory that was freed keeps its old headers: checkpoints may lie in one free chunk with chain->at by now,
 * and lead there all the same. So each failure at one place goes four times as far back.
 */
static bool replay_from_checkpoints(struct walk_chain *chain, struct breach *breach)
{
    uint64_t first = UINT64_C(1) << 2 * min_u64(chain->failures_here, 16);
    for (uint64_t back = first; back <= chain->checkpoint_count && back <= CHECKPOINTS; back *= 4) {
        uint64_t checkpoint = chain->checkpoints[(chain->checkpoint_count - back) % CHECKPOINTS];
        window_forget(&chain->walk->window);
        if (checkpoint < chain->at && replay(chain, checkpoint, breach))
            return true;
    }
    window_forget(&chain->walk->window);
    return replay(chain, chain->segment->start, breach);
}

/* Whether memory is there, and only swapped out: no heap that moves, and nothing to wait for. */
static bool is_swapped(const struct walk_chain *chain, uint64_t address)
{
    const struct glibc_heap *heap = chain->walk->heap;
    return !heap->read_swapped && page_view_state(heap->pages, address) == PAGE_SWAPPED;
}

enum renewal {
    RENEWED,     /* the walk can go on at chain->at */
    RENEWED_END, /* the heap ends before that by now */
    BROKEN,      /* for good */
    TORN         /* nobody can say */
};

/*
 * The chain of a live heap broke at chain->at, or the header at @hole behind it could not be read: most of
 * the time since the heap moved between two reads. Look again, until it holds or is proved to be broken.
 */
static enum renewal renew(struct walk_chain *chain, uint64_t hole)
{
    struct glibc_heap *heap = chain->walk->heap;
    /* in a slice it stands still, and there is no time to wait */
    if (heap->is_held || chain->walk->pause_at_ns != UINT64_MAX)
        return BROKEN;
    while (clock_monotonic_ns() <= heap->deadline_ns) {
        struct breach breach;
        page_view_forget(heap->pages);
        window_forget(&chain->walk->window);
        if (hole != 0 && is_swapped(chain, hole))
            return TORN;
        heap->completeness.resync_count++;
        if (chain_renew(chain) == CHAIN_GONE || chain->at > chain->limit)
            return RENEWED_END;
        bool has_arrived = replay_from_checkpoints(chain, &breach);
        if (has_arrived && chain_enter_slice(chain, chain->at, NULL) == STATUS_OK && top_is_piece_at(chain))
            return top_pass_piece(chain) ? RENEWED : TORN;
        enum proof proof = proof_of(chain, &breach);
        /* what cannot be read is called nothing worse than that */
        if (proof == PROVED || proof == PROOF_FAILED || (proof == PROOF_OPEN && hole != 0))
            return proof == PROVED ? BROKEN : TORN;
        if (proof == PROOF_OPEN)
            proof_look(chain);
        if (chain->failures_here > 1)
            nanosleep(&(struct timespec){.tv_nsec = 11 * (long)NS_PER_MS}, NULL);
        if (has_arrived)
            return chain_enter_slice(chain, chain->at, NULL) == STATUS_OK ? RENEWED : TORN;
    }
    return TORN;
}

/* Count a place that is broken for good as corrupt, any other as one that could not be read. */
static void note_place(struct glibc_heap *heap, bool is_corrupt, enum note_kind kind, uint64_t address,
                       uint32_t arena)
{
    if (is_corrupt)
        heap_note_corrupt(heap, kind, address, arena);
    else
        completeness_note(&heap->completeness, kind, address, arena);
}

/* Whether a sound chain leads on from @address: to the limit or over many headers. */
static bool does_close(const struct walk_chain *chain, uint64_t address)
{
    const struct glibc_heap *heap = chain->walk->heap;
    const struct glibc_layout *layout = heap->layout;
    struct walk_chain probe = *chain;
    uint64_t at = address, size = 0;
    for (unsigned hop = 0; hop < HOPS_BELIEVED; hop++, at += size) {
        if (!chain_seek(&probe, at))
            return hop > 0; /* a hole behind a sound chain says nothing against it */
        const uint8_t *header = window_at(&chain->walk->window, at);
        if (at == chain->limit && top_is_unfinished(&probe))
            return true;
        if (hop > 0 && !(probe.field & CHUNK_PREV_IN_USE) && heap_word(heap, header) != size)
            return false;
        size = probe.field & ~(uint64_t)CHUNK_FLAGS;
        /* fenceposts end a run */
        if (at == chain->limit || (size == heap_header_bytes(heap) && hop > 0))
            return true;
        if (size < layout->min_size || !is_aligned(size, layout->alignment) || size > chain->limit - at)
            return top_is_unfinished(&probe);
    }
    return true;
}

enum recovery recover_after_run(struct walk_chain *chain)
{
    struct glibc_heap *heap = chain->walk->heap;
    struct breach breach = {0};
    window_forget(&chain->walk->window);
    bool goes_on = does_close(chain, chain->at);
    if (!goes_on) {
        heap->completeness.resync_count++;
        goes_on = replay_from_checkpoints(chain, &breach) && does_close(chain, chain->at);
    }
    if (goes_on && chain_enter_slice(chain, chain->at, NULL) == STATUS_OK && chain_seek(chain, chain->at)) {
        chain->resumes = 0;
        return RECOVERY_RESUMED;
    }
    bool is_corrupt = proof_of(chain, &breach) == PROVED;
    if (!is_corrupt && ++chain->resumes < RESUMES_MAX)
        return RECOVERY_LATER;
    chain->resumes = 0;
    note_place(heap, is_corrupt, NOTE_BAD_SIZE, breach.at, chain->arena->index);
    return resume_behind(chain, chain->at);
}

enum recovery recover_broken(struct walk_chain *chain, enum note_kind kind)
{
    enum renewal renewal = renew(chain, 0);
    if (renewal != BROKEN && renewal != TORN)
        return renewal == RENEWED ? RECOVERY_RESUMED : RECOVERY_ENDED;
    note_place(chain->walk->heap, renewal == BROKEN, kind, chain->at, chain->arena->index);
    return resume_behind(chain, chain->at);
}

enum recovery recover_hole(struct walk_chain *chain, uint64_t address)
{
    struct glibc_heap *heap = chain->walk->heap;
    enum renewal renewal = renew(chain, address);
    if (renewal != BROKEN && renewal != TORN)
        return renewal == RENEWED ? RECOVERY_RESUMED : RECOVERY_ENDED;
    enum note_kind kind =
        page_view_state(heap->pages, address) == PAGE_SWAPPED ? NOTE_SWAPPED : NOTE_UNREADABLE;
    completeness_note(&heap->completeness, kind, address, chain->arena->index);
    /* the state of the chunk before the hole stands in the header that cannot be read */
    uint64_t lost_from = chain->at;
    chain->at = address;
    return resume_behind(chain, lost_from);
}
