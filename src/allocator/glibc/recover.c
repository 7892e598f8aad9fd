/*
 * recover.c - what the walk does where a chain breaks.
 *
 * Under a stop a broken header is corruption. In a live process it mostly is a heap that moved between two
 * reads: the walk resumes from a boundary that it passed a moment ago, and only what is broken three times
 * over 20 ms with the same bytes is called corrupt. Behind a real break it goes on at the next boundary that
 * can be proved; what lies between is unread.
 */
#include <time.h>

#include "allocator/glibc/walk_chain.h"
#include "base/checked.h"
#include "base/clock.h"

#define FAILURES_PROVED 3u
#define PROOF_NS (20 * NS_PER_MS)
#define REPLAY_HEADERS_MAX (1u << 20)

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
 * Go from @checkpoint by fresh reads to the first boundary at or behind chain->at. The chunk that reaches
 * over chain->at is reported from there on, so that no byte is counted twice or lost.
 */
static bool replay(struct walk_chain *chain, uint64_t checkpoint)
{
    struct walk *walk = chain->walk;
    const struct glibc_layout *layout = walk->heap->layout;
    uint64_t goal = chain->at, at = checkpoint;
    struct walk_chain probe = *chain;
    for (uint64_t n = 0; n < REPLAY_HEADERS_MAX && at < chain->limit; n++) {
        if (!chain_seek(&probe, at))
            return false;
        uint64_t size = probe.field & ~(uint64_t)CHUNK_FLAGS;
        if (size < layout->min_size || !is_aligned(size, layout->alignment) || size > chain->limit - at)
            return false;
        at += size;
        if (at > goal)
            break;
    }
    if (at <= goal || !chain_seek(&probe, at))
        return false;
    struct chunk rest = {.address = goal,
                         .size = at - goal,
                         .arena = chain->arena->index,
                         .state = probe.field & CHUNK_PREV_IN_USE ? CHUNK_IN_USE : CHUNK_LARGE,
                         .header_bytes = (uint8_t)heap_header_bytes(walk->heap)};
    walk_emit(walk, &rest);
    chain->at = at;
    chain->field = probe.field;
    return true;
}

static bool replay_from_checkpoints(struct walk_chain *chain)
{
    window_forget(&chain->walk->window);
    for (uint64_t back = 1; back <= chain->checkpoint_count && back <= CHECKPOINTS; back *= 4) {
        uint64_t checkpoint = chain->checkpoints[(chain->checkpoint_count - back) % CHECKPOINTS];
        if (checkpoint < chain->at && replay(chain, checkpoint))
            return true;
    }
    return replay(chain, chain->segment->start);
}

/* Whether the same bytes at the same place were broken often and long enough to be corruption. */
static bool is_proved(struct walk_chain *chain)
{
    uint64_t now = clock_monotonic_ns();
    if (chain->failed_at != chain->at || chain->failed_field != chain->field) {
        chain->failed_at = chain->at;
        chain->failed_field = chain->field;
        chain->failed_since_ns = now;
        chain->failures_here = 0;
    }
    chain->failures_here++;
    return chain->failures_here >= FAILURES_PROVED && now - chain->failed_since_ns >= PROOF_NS;
}

enum recovery recover_broken(struct walk_chain *chain, enum note_kind kind)
{
    struct glibc_heap *heap = chain->walk->heap;
    while (!heap->is_held && clock_monotonic_ns() <= heap->deadline_ns) {
        heap->completeness.resync_count++;
        if (replay_from_checkpoints(chain))
            return RECOVERY_RESUMED;
        window_forget(&chain->walk->window);
        uint64_t before = chain->field;
        if (!chain_seek(chain, chain->at))
            return recover_hole(chain, chain->at);
        if (chain->field != before)
            return RECOVERY_RESUMED;
        if (is_proved(chain))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 11 * (long)NS_PER_MS}, NULL);
    }
    heap_note_corrupt(heap, kind, chain->at, chain->arena->index);
    return resume_behind(chain, chain->at);
}

enum recovery recover_hole(struct walk_chain *chain, uint64_t address)
{
    struct glibc_heap *heap = chain->walk->heap;
    enum note_kind kind =
        page_view_state(heap->pages, address) == PAGE_SWAPPED ? NOTE_SWAPPED : NOTE_UNREADABLE;
    completeness_note(&heap->completeness, kind, address, chain->arena->index);
    /* the state of the chunk before the hole stands in the header that cannot be read */
    uint64_t lost_from = chain->at;
    chain->at = address;
    return resume_behind(chain, lost_from);
}
