/* collect_process.c - the state of a process and of its last scan. */
#include "metrics/collect.h"

#include "metrics/emit.h"

static bool was_tried(const struct metric_source *source)
{
    return source->process->state == PROCESS_STATE_OK || source->process->state == PROCESS_STATE_FAILED;
}

void collect_up(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, was_tried(source), source->process->state == PROCESS_STATE_OK);
}

void collect_failure(const struct metric_source *source, struct sample_sink *sink)
{
    const struct view_process *process = source->process;
    if (process->state == PROCESS_STATE_FAILED && process->failure != FAILURE_NONE)
        emit_labelled(sink, "reason", failure_name(process->failure), 1);
}

void collect_process_info(const struct metric_source *source, struct sample_sink *sink)
{
    const struct view_process *process = source->process;
    const struct process_labels *labels = &process->snapshot->labels;
    if (source->is_aggregate || process->state == PROCESS_STATE_WAITING)
        return;
    const char *found_by = source->has_numbers ? found_by_name(process->snapshot->numbers.found_by) : "";
    sink->sample(sink, &(struct sample){.labels = {{"comm", labels->comm},
                                                   {"exe", labels->exe},
                                                   {"allocator", labels->allocator},
                                                   {"libc_version", labels->libc_version},
                                                   {"found_by", found_by},
                                                   {"unit", labels->unit},
                                                   {"container_id", labels->container_id},
                                                   {"pod_uid", labels->pod_uid}},
                                        .labels_count = 8,
                                        .integer = 1});
}

void collect_mode(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_timing *timing = &source->process->snapshot->timing;
    if (was_tried(source))
        sink->sample(sink, &(struct sample){.labels = {{"mode", consistency_name(timing->mode)},
                                                       {"why", mode_why_name(timing->why)}},
                                            .labels_count = 2,
                                            .integer = 1});
}

void collect_rss(const struct metric_source *source, struct sample_sink *sink)
{
    const struct snapshot *snapshot = source->process->snapshot;
    if (snapshot->resident_bytes || snapshot->start_time_seconds > 0) /* a core tells neither */
        emit_value(sink, snapshot->resident_bytes);
}

void collect_start_time(const struct metric_source *source, struct sample_sink *sink)
{
    if (source->process->snapshot->start_time_seconds > 0)
        emit_double(sink, source->process->snapshot->start_time_seconds);
}

void collect_timestamp(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_timing *timing = &source->process->snapshot->timing;
    if (timing->end_realtime_ns)
        emit_ns(sink, timing->end_realtime_ns);
}

/* Of the last attempt, also where it failed. */
static void emit_timing(const struct metric_source *source, struct sample_sink *sink, uint64_t ns)
{
    if (was_tried(source))
        emit_ns(sink, ns);
}

void collect_duration(const struct metric_source *source, struct sample_sink *sink)
{
    emit_timing(source, sink, source->process->snapshot->timing.duration_ns);
}

void collect_pause(const struct metric_source *source, struct sample_sink *sink)
{
    emit_timing(source, sink, source->process->snapshot->timing.pause_ns);
}

void collect_max_pause(const struct metric_source *source, struct sample_sink *sink)
{
    emit_timing(source, sink, source->process->snapshot->timing.max_pause_ns);
}
