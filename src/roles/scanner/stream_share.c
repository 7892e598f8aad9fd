/* stream_share.c - a stream that stops its process does so within the share that requests have of its time.
 */
#include <time.h>

#include "base/checked.h"
#include "base/clock.h"
#include "roles/scanner/stream.h"

/* what is waited for here, not by the client */
#define WAIT_NS_MAX NS_PER_SECOND

/* Its process, unless that has ended; the lock is held. */
static struct tracked *process_of(const struct stream *stream)
{
    struct tracked *process = tracked_find(&stream->scanner->table, stream->job.pid);
    return process && process->id.start_time_ticks == stream->job.start_time_ticks ? process : NULL;
}

/* 0 where the share was taken, else how long to wait. */
static uint64_t try_share(struct stream *stream)
{
    pthread_mutex_lock(&stream->scanner->lock);
    struct tracked *process = process_of(stream);
    /* one that has ended is found out by the walk */
    uint64_t wait_ns = process ? stop_share_take(&process->stops, clock_monotonic_ns()) : 0;
    stream->has_share = process && wait_ns == 0;
    pthread_mutex_unlock(&stream->scanner->lock);
    return wait_ns;
}

static enum status refuse(struct stream *stream, uint64_t wait_ns, struct error *err)
{
    uint64_t seconds = min_u64(wait_ns / NS_PER_SECOND + 1, UINT32_MAX);
    stream->reply.retry_after_seconds = (uint32_t)seconds;
    return error_set(
        err, STATUS_BUSY,
        "process %d was stopped for another request: requests stop it for a twentieth of the time "
        "at most, and the next may in %llu s; consistency=live stops nothing",
        (int)stream->job.pid, (unsigned long long)seconds);
}

enum status stream_take_share(struct stream *stream, struct error *err)
{
    if (stream->request.kind == STREAM_INSPECTION || stream->job.request.consistency == CONSISTENCY_LIVE)
        return STATUS_OK;
    uint64_t end_ns = clock_monotonic_ns() + WAIT_NS_MAX;
    for (;;) {
        uint64_t wait_ns = try_share(stream);
        if (wait_ns == 0)
            return STATUS_OK;
        if (clock_monotonic_ns() + wait_ns > end_ns)
            return refuse(stream, wait_ns, err);
        struct timespec time = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                                .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
        nanosleep(&time, NULL);
    }
}

/* What the walk stopped it for. A stop that did not come about (weaker than wanted) is taken for as long as
 * the holder tries. */
static uint64_t stopped_ns(const struct stream *stream)
{
    const struct scan_request *request = &stream->job.request;
    uint64_t tried_ns = request->consistency == CONSISTENCY_SNAPSHOT ? request->snapshot_budget_ns / 4
                                                                     : request->slice_budget_ns;
    bool is_weaker = stream->stops.why != MODE_WHY_REQUESTED;
    return max_u64(stream->stops.pause_ns, is_weaker ? tried_ns : 0);
}

void stream_give_share(struct stream *stream)
{
    if (!stream->has_share)
        return;
    stream->has_share = false;
    pthread_mutex_lock(&stream->scanner->lock);
    struct tracked *process = process_of(stream);
    if (process)
        stop_share_give(&process->stops, clock_monotonic_ns(), stopped_ns(stream));
    pthread_mutex_unlock(&stream->scanner->lock);
}
