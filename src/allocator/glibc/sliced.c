/* sliced.c - see sliced.h. */
#include "allocator/glibc/sliced.h"

#include <string.h>
#include <time.h>

#include "allocator/glibc/proof.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/reserve.h"

/* 8 MiB */
#define SLICE_CHUNKS (256u * 1024u)
/* a window has at most this many, besides what waits in the batch */
#define WINDOW_CHUNKS_MAX (WINDOW_BYTES / 16u + 2u * WALK_BATCH)
/* of the longest stop, what the walk may use at first: stopping and letting go need the rest */
#define SHARE_OF(budget) ((budget) / 8 * 5)
/* what a last window and the way of a message may take */
#define MARGIN_OF(budget) ((budget) / 8)
#define FAILURES_MAX 4u
/* what following the lists takes, where a chain has to be taken up before the marks held */
#define RESERVE_BYTES (1u << 20)
/* where a chain did not close the target runs for this long before it is looked at again */
#define LATER_NS (11 * NS_PER_MS)

/* What a slice changes beside its chunks: to go back to where its stop did not hold. */
struct saved {
    struct walk_chain chain;
    struct glibc_arena arena;
    struct completeness completeness;
};

static bool keep(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct slicer *slicer = (struct slicer *)sink;
    if (count > slicer->room - slicer->count)
        return false;
    memcpy(slicer->chunks + slicer->count, chunks, count * sizeof *chunks);
    slicer->count += count;
    slicer->walk->is_full = slicer->room - slicer->count < WINDOW_CHUNKS_MAX;
    return true;
}

enum status slicer_init(struct slicer *slicer, const struct scan_request *request, struct walk *walk,
                        struct error *err)
{
    uint64_t now_ns = clock_monotonic_ns();
    *slicer = (struct slicer){.sink = {.consume = keep},
                              .holder = request->holder,
                              .stops = request->stops,
                              .walk = walk,
                              .room = SLICE_CHUNKS,
                              .live_at_ns =
                                  now_ns + (request->deadline_ns - min_u64(now_ns, request->deadline_ns)) / 2,
                              .budget_ns = request->slice_budget_ns,
                              .share_ns = SHARE_OF(request->slice_budget_ns)};
    enum status status =
        reserve_prepare(&slicer->chunk_memory, SLICE_CHUNKS * sizeof *slicer->chunks, false, err);
    slicer->chunks = (void *)slicer->chunk_memory.data;
    reserve_bring_in(walk->window.data, WINDOW_BYTES);
    return status == STATUS_OK ? reserve_prepare(&slicer->reserve, RESERVE_BYTES, false, err) : status;
}

void slicer_deinit(struct slicer *slicer)
{
    reserve_deinit(&slicer->chunk_memory);
    slicer->chunks = NULL;
    reserve_deinit(&slicer->reserve);
}

/* Hand on what a slice found; the target runs. */
static bool deliver(const struct slicer *slicer, struct chunk_sink *const *sinks, size_t sink_count)
{
    for (size_t at = 0; at < slicer->count; at += WALK_BATCH) {
        size_t count = (size_t)min_u64(slicer->count - at, WALK_BATCH);
        for (size_t i = 0; i < sink_count; i++)
            if (!sinks[i]->consume(sinks[i], slicer->chunks + at, count))
                return false;
    }
    return true;
}

enum slice_end { SLICE_DONE, SLICE_PAUSED, SLICE_LATER };

/* Walk while the target stands still. */
static enum status walk_slice(struct walk_chain *chain, enum slice_end *how, struct error *err)
{
    struct walk *walk = chain->walk;
    *how = SLICE_DONE;
    page_view_forget(walk->heap->pages);
    /* what lies behind its end by now was walked when it was still there */
    if (chain_renew(chain) == CHAIN_GONE || chain->at > chain->limit)
        return STATUS_OK;
    enum recovery recovery = chain->at == chain->segment->start
                                 ? chain_seek_start(chain) ? RECOVERY_RESUMED : RECOVERY_ENDED
                                 : recover_after_run(chain);
    if (recovery == RECOVERY_LATER)
        *how = SLICE_LATER;
    if (recovery != RECOVERY_RESUMED)
        return STATUS_OK;
    enum status status = chain_walk(chain, err);
    if (status == STATUS_OK && chain->is_paused)
        *how = chain->at == chain->failed_at ? SLICE_LATER : SLICE_PAUSED;
    return status;
}

static void save(struct saved *saved, const struct walk_chain *chain)
{
    saved->chain = *chain;
    saved->arena = *chain->arena;
    saved->completeness = chain->walk->heap->completeness;
}

static void go_back(const struct saved *saved, struct walk_chain *chain)
{
    *chain = saved->chain;
    *chain->arena = saved->arena;
    chain->walk->heap->completeness = saved->completeness;
}

static void run_for(uint64_t ns)
{
    struct timespec time = {.tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND)};
    nanosleep(&time, NULL);
}

static void count_stop(struct slicer *slicer, uint64_t pause_ns)
{
    slicer->pause_ns += pause_ns;
    slicer->max_pause_ns = max_u64(slicer->max_pause_ns, pause_ns);
}

/* One stop, and the part of the walk in it. *@is_held: it counts. */
static enum status stop_once(struct slicer *slicer, struct walk_chain *chain, bool *is_held,
                             enum slice_end *how, struct hold_report *report, struct error *err)
{
    struct holder *holder = slicer->holder;
    struct walk *walk = slicer->walk;
    enum status status = holder->ops->begin(holder, walk->heap->target->pid, slicer->budget_ns, err);
    if (status != STATUS_OK) {
        count_stop(slicer, holder->vain_pause_ns);
        return status;
    }
    uint64_t end_ns = clock_monotonic_ns() + slicer->share_ns;
    uint64_t latest_ns = holder->release_by_ns - min_u64(holder->release_by_ns, MARGIN_OF(slicer->budget_ns));
    reserve_enter(&slicer->reserve);
    slicer->count = 0;
    walk->is_full = false;
    walk->pause_at_ns = min_u64(end_ns, latest_ns);
    status = walk_slice(chain, how, err);
    walk_flush(walk);
    walk->pause_at_ns = UINT64_MAX;
    walk->is_full = false;
    holder->ops->end(holder, report);
    reserve_enter(NULL);
    count_stop(slicer, report->pause_ns);
    *is_held = report->is_confirmed;
    return status;
}

/* Fewer milliseconds for the next slice, and live where that does not help either. */
static void note_failure(struct slicer *slicer, enum mode_why why)
{
    slicer->share_ns = max_u64(slicer->share_ns / 2, NS_PER_MS / 8);
    if (++slicer->failures < FAILURES_MAX)
        return;
    slicer->is_off = true;
    slicer->why = why;
}

/* The stop of a slice could not be had: STATUS_OK where it is tried again or the rest is walked live. */
static enum status take_refusal(struct slicer *slicer, enum status status)
{
    if (status == STATUS_TIMEOUT) {
        note_failure(slicer, MODE_WHY_THREADS);
        run_for(max_u64(slicer->holder->vain_pause_ns, LATER_NS));
        return STATUS_OK;
    }
    if (status != STATUS_TRACED && status != STATUS_TOO_LARGE)
        return status;
    slicer->is_off = true;
    slicer->why = status == STATUS_TRACED ? MODE_WHY_TRACED : MODE_WHY_THREADS;
    return STATUS_OK;
}

static enum status walk_in_slices(struct slicer *slicer, struct walk_chain *chain,
                                  struct chunk_sink *const *sinks, size_t sink_count, struct error *err)
{
    struct saved saved;
    enum slice_end how = SLICE_PAUSED;
    while (how != SLICE_DONE && !slicer->is_off) {
        struct hold_report report = {0};
        bool is_held = false;
        struct error trouble = {0};
        if (clock_monotonic_ns() > slicer->live_at_ns) {
            slicer->is_off = true;
            slicer->why = MODE_WHY_SLOW;
            break;
        }
        /* the lists for the marks are followed while it runs */
        enum status status = chain_enter_slice(chain, chain->at, err);
        if (status != STATUS_OK)
            return status;
        save(&saved, chain);
        status = stop_once(slicer, chain, &is_held, &how, &report, &trouble);
        uint64_t run_ns = max_u64(report.pause_ns, how == SLICE_LATER ? LATER_NS : 0);
        if (report.pause_ns == 0 && status != STATUS_OK) {
            status = take_refusal(slicer, status);
            how = SLICE_PAUSED;
        } else if (!is_held) {
            go_back(&saved, chain);
            how = SLICE_PAUSED;
            note_failure(slicer, MODE_WHY_SLOW);
            run_for(run_ns);
            continue;
        } else {
            slicer->failures = 0;
            slicer->share_ns = min_u64(slicer->share_ns * 2, SHARE_OF(slicer->budget_ns));
            if (status == STATUS_OK && !deliver(slicer, sinks, sink_count))
                return STATUS_STOPPED;
            if (how != SLICE_DONE)
                run_for(run_ns);
            if (how == SLICE_LATER)
                proof_look(chain);
        }
        if (status != STATUS_OK) {
            if (err)
                *err = trouble;
            return status;
        }
    }
    return STATUS_OK;
}

struct scan_timing slicer_timing(const struct slicer *slicer)
{
    return (struct scan_timing){.pause_ns = slicer->pause_ns,
                                .max_pause_ns = slicer->max_pause_ns,
                                .mode = slicer->is_off ? CONSISTENCY_LIVE : CONSISTENCY_SLICED,
                                .why = slicer->is_off ? slicer->why : MODE_WHY_REQUESTED};
}

enum status sliced_walk_segment(struct slicer *slicer, const struct glibc_segment *segment, struct error *err)
{
    struct walk *walk = slicer->walk;
    struct walk_chain chain;
    struct chunk_sink *sinks[WALK_SINKS_MAX];
    size_t sink_count = walk->sink_count;
    bool wants_each = walk->wants_each;
    if (slicer->is_off)
        return walk_segment(walk, segment, err);
    walk_flush(walk);
    enum status status = chain_begin(&chain, walk, segment, err);
    if (status != STATUS_OK)
        return status;
    memcpy(sinks, walk->sinks, sizeof sinks);
    walk->sinks[0] = &slicer->sink;
    walk->sink_count = 1;
    walk->wants_each = true;
    status = walk_in_slices(slicer, &chain, sinks, sink_count, err);
    memcpy(walk->sinks, sinks, sizeof sinks);
    walk->sink_count = sink_count;
    walk->wants_each = wants_each;
    if (slicer->stops)
        *slicer->stops = slicer_timing(slicer);
    if (status != STATUS_OK || !slicer->is_off)
        return status;
    /* it goes on as in a live scan from where the last slice ended */
    if (chain.at == segment->start ? chain_seek_start(&chain) : recover_after_run(&chain) != RECOVERY_ENDED)
        status = chain_walk(&chain, err);
    return status;
}
