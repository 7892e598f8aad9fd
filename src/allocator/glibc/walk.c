/* walk.c - see walk.h. */
#include "allocator/glibc/walk.h"

#include <time.h>

#include "allocator/glibc/chain.h"
#include "allocator/glibc/fast_walk.h"
#include "allocator/glibc/lists.h"
#include "allocator/glibc/slices.h"
#include "allocator/glibc/top.h"
#include "base/checked.h"
#include "base/clock.h"

#define TOP_TRIES 10u

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
    return chain_enter_slice(chain, start, NULL) == STATUS_OK && chain_seek(chain, start);
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
        if (!chain->segment->is_main && !chain->has_top && chain->at + size == chain->limit) {
            chain->arena->overhead_bytes += size;
            return chain_seek(chain, chain->limit);
        }
    }
    bool stands_still = heap->is_held || chain->walk->pause_at_ns != UINT64_MAX;
    if (stands_still && top_is_piece_at(chain) && top_pass_piece(chain))
        return true;
    if (chain->walk->pause_at_ns != UINT64_MAX) {
        /* it stands still: only another stop can show something else */
        chain->is_paused = true;
        return false;
    }
    return recover_broken(chain, reason == BAD_FOOTER ? NOTE_BAD_FOOTER : NOTE_BAD_SIZE) == RECOVERY_RESUMED;
}

static enum status enter_slice(struct walk *walk, uint64_t slice, struct error *err)
{
    if (walk->slices)
        return slices_enter(walk->slices, walk->marks, walk->heap, slice, err);
    marks_begin_slice(walk->marks, slice);
    return lists_mark(walk->heap, walk->marks, err);
}

enum status chain_enter_slice(struct walk_chain *chain, uint64_t address, struct error *err)
{
    struct marks *marks = chain->walk->marks;
    uint64_t known_end = marks_segment_end(chain->segment);
    chain->has_marks = false;
    chain->slice_end = UINT64_MAX;
    if (address >= known_end)
        return STATUS_OK;
    uint64_t slice = marks_slice_of(marks, chain->segment, address);
    if (slice != marks->slice) {
        enum status status = enter_slice(chain->walk, slice, err);
        if (status != STATUS_OK)
            return status;
    }
    chain->slice_end = min_u64(marks_slice_end(marks, chain->segment, address), known_end);
    chain->has_marks = marks_has_any(marks);
    return STATUS_OK;
}

enum status chain_begin(struct walk_chain *chain, struct walk *walk, const struct glibc_segment *segment,
                        struct error *err)
{
    *chain = (struct walk_chain){.walk = walk,
                                 .segment = segment,
                                 .arena = walk->arena,
                                 .end = segment->end,
                                 .has_top = segment->has_top};
    chain->limit = segment->has_top ? chain->arena->top_addr : segment->end - HEAP_TERMINATOR_BYTES;
    if (segment->is_main && !segment->has_top)
        chain->limit = segment->end;
    window_restart(&walk->window);
    chain->at = segment->start;
    return chain_enter_slice(chain, segment->start, err);
}

bool chain_seek_start(struct walk_chain *chain)
{
    uint64_t start = chain->segment->start;
    return chain_seek(chain, start) || recover_hole(chain, start) == RECOVERY_RESUMED;
}

/* What the books of a live segment say once top has its header: a thread may stand before the store of it. */
static bool has_moved(struct walk_chain *chain)
{
    bool has_moved = false;
    for (unsigned tries = 1;; tries++) {
        enum chain_news news = chain_renew(chain);
        has_moved = has_moved || news == CHAIN_MOVED;
        if (news == CHAIN_GONE || chain->arena->top_bytes != 0 || tries == TOP_TRIES)
            return has_moved && news != CHAIN_GONE;
        nanosleep(&(struct timespec){.tv_nsec = tries * (long)NS_PER_MS}, NULL);
    }
}

/* A live heap may have grown until the walk arrived at its end. True: there is more to walk, if *@goes_on. */
static bool follow_growth(struct walk_chain *chain, bool *goes_on)
{
    if (!chain->has_top || chain->walk->heap->is_held || chain->walk->pause_at_ns != UINT64_MAX ||
        !has_moved(chain) || chain->at > chain->limit)
        return false;
    *goes_on = chain_seek(chain, chain->at) || recover_hole(chain, chain->at) == RECOVERY_RESUMED;
    return true;
}

enum status chain_walk(struct walk_chain *chain, struct error *err)
{
    chain->is_paused = false;
    for (bool goes_on = true; goes_on;) {
        enum stop_reason reason = fast_walk(chain);
        chain->is_paused = reason == PAUSED;
        if (reason == PAUSED)
            return STATUS_OK;
        if (reason == STOPPED)
            return STATUS_STOPPED;
        if (reason == FAILED)
            return error_set(err, STATUS_NO_MEMORY, "no memory to walk the heap at 0x%llx",
                             (unsigned long long)chain->at);
        bool is_odd = reason != AT_LIMIT;
        goes_on = reason != TIMED_OUT && (!is_odd || handle(chain, reason));
        if (is_odd && clock_monotonic_ns() > chain->walk->heap->deadline_ns)
            return error_set(err, STATUS_TIMEOUT, "the time for the scan ran out in the heap at 0x%llx",
                             (unsigned long long)chain->at);
        if (is_odd || follow_growth(chain, &goes_on))
            continue;
        if (chain->has_top)
            top_take(chain);
        else
            take_terminator(chain);
        goes_on = false;
    }
    return STATUS_OK;
}

enum status walk_segment(struct walk *walk, const struct glibc_segment *segment, struct error *err)
{
    struct walk_chain chain;
    enum status status = chain_begin(&chain, walk, segment, err);
    if (status == STATUS_OK && chain_seek_start(&chain))
        status = chain_walk(&chain, err);
    return status == STATUS_OK && walk->is_stopped ? STATUS_STOPPED : status;
}
