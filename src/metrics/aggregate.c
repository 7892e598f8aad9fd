/*
 * aggregate.c - sums of counts and bytes, the largest of what is a maximum, the least of what is a verdict or
 * a time. Sums take scanned members only, so that a failed one is not read as freed memory: the group's
 * scanned processes say how many.
 */
#include "metrics/aggregate.h"

#include <string.h>

#include "base/checked.h"

static void add_checks(struct scan_numbers *sum, const struct scan_numbers *one)
{
    for (int i = 0; i < CHECK_COUNT; i++) {
        struct check_result *check = &sum->checks[i];
        if (!one->checks[i].is_known)
            continue;
        check->is_reconciled = one->checks[i].is_reconciled && (!check->is_known || check->is_reconciled);
        check->difference_bytes += one->checks[i].difference_bytes;
        check->is_known = true;
    }
}

static void add_histogram(struct histogram *sum, const struct histogram *one)
{
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum->counts[i] += one->counts[i];
    sum->sum_bytes += one->sum_bytes;
}

static void add_numbers(struct scan_numbers *sum, const struct scan_numbers *one, bool is_first)
{
#define SUM(field) sum->field += one->field
    for (int i = 0; i < CHUNK_STATE_COUNT; i++) {
        SUM(states[i].chunks);
        SUM(states[i].bytes);
    }
    SUM(system_bytes), SUM(system_peak_bytes), SUM(overhead_bytes);
    SUM(completeness.unread_bytes), SUM(completeness.corrupt_count);
    SUM(heaps.resident_bytes), SUM(heaps.swapped_bytes), SUM(free.resident_bytes), SUM(free.swapped_bytes);
    SUM(trimmable_bytes), SUM(largest_per_arena_sum_bytes);
    SUM(arenas), SUM(heap_count), SUM(tcaches), SUM(tcaches_missing);
#undef SUM
    sum->largest_free_chunk_bytes = max_u64(sum->largest_free_chunk_bytes, one->largest_free_chunk_bytes);
    sum->is_complete = one->is_complete && (is_first || sum->is_complete);
    /* A sum without one member's part would look like freed memory. */
    sum->has_residency = one->has_residency && (is_first || sum->has_residency);
    sum->has_trimmable = one->has_trimmable && (is_first || sum->has_trimmable);
    sum->has_histogram = one->has_histogram && (is_first || sum->has_histogram);
    add_histogram(&sum->used_sizes, &one->used_sizes);
    add_histogram(&sum->free_sizes, &one->free_sizes);
    add_checks(sum, one);
}

static void add_timing(struct scan_timing *sum, const struct scan_timing *one)
{
    if (one->end_realtime_ns && (!sum->end_realtime_ns || one->end_realtime_ns < sum->end_realtime_ns))
        sum->end_realtime_ns = one->end_realtime_ns;
    sum->duration_ns = max_u64(sum->duration_ns, one->duration_ns);
    sum->pause_ns = max_u64(sum->pause_ns, one->pause_ns);
    sum->max_pause_ns = max_u64(sum->max_pause_ns, one->max_pause_ns);
}

/* The group's mode is its weakest member's. */
static void add_member(struct aggregate *sum, const struct view_process *one)
{
    const struct snapshot *snapshot = one->snapshot;
    bool was_tried = one->state == PROCESS_STATE_OK || one->state == PROCESS_STATE_FAILED;
    if (!sum->has_members || snapshot->start_time_seconds < sum->snapshot.start_time_seconds)
        sum->snapshot.start_time_seconds = snapshot->start_time_seconds;
    sum->has_members = true;
    sum->snapshot.resident_bytes += snapshot->resident_bytes;
    if (!was_tried)
        return;
    if (sum->process.state == PROCESS_STATE_WAITING || snapshot->timing.mode < sum->snapshot.timing.mode) {
        sum->snapshot.timing.mode = snapshot->timing.mode;
        sum->snapshot.timing.why = snapshot->timing.why;
    }
    add_timing(&sum->snapshot.timing, &snapshot->timing);
    if (sum->process.state != PROCESS_STATE_FAILED) {
        sum->process.state = one->state;
        sum->process.failure = one->failure;
    }
    if (one->state == PROCESS_STATE_OK) {
        add_numbers(&sum->snapshot.numbers, &snapshot->numbers, !sum->has_numbers);
        sum->has_numbers = true;
    }
}

void aggregate_group(const struct view *view, const struct view_group *group, struct aggregate *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->process.group = group;
    ret->process.state = PROCESS_STATE_WAITING;
    ret->process.snapshot = &ret->snapshot;
    for (size_t i = 0; i < view->processes_count; i++)
        if (view->processes[i].group == group)
            add_member(ret, &view->processes[i]);
}
