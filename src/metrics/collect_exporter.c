/* collect_exporter.c - what groups count, and the exporter itself. */
#include "metrics/collect.h"

#include "metrics/emit.h"

void collect_scans(const struct metric_source *source, struct sample_sink *sink)
{
    for (int result = 0; result < SCAN_RESULT_COUNT; result++)
        emit_labelled(sink, "result", scan_result_name(result), source->group->counters.scans[result]);
}

void collect_resyncs(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->group->counters.resyncs);
}

void collect_read_bytes(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->group->counters.read_bytes);
}

void collect_pauses(const struct metric_source *source, struct sample_sink *sink)
{
    emit_ns(sink, source->group->counters.pause_ns);
}

void collect_group_processes(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->group->processes);
}

void collect_group_scanned(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->group->scanned);
}

void collect_interval(const struct metric_source *source, struct sample_sink *sink)
{
    emit_ns(sink, source->group->interval_ns);
}

void collect_build(const struct metric_source *source, struct sample_sink *sink)
{
    emit_labelled(sink, "version", source->view->exporter.version, 1);
}

void collect_reload_ok(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->view->exporter.config_reload_ok);
}

void collect_reload_time(const struct metric_source *source, struct sample_sink *sink)
{
    emit_double(sink, source->view->exporter.config_reload_timestamp_seconds);
}

void collect_left_out(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->view->exporter.series_left_out);
}

void collect_lag(const struct metric_source *source, struct sample_sink *sink)
{
    emit_ns(sink, source->view->exporter.scan_lag_ns);
}

void collect_cpu(const struct metric_source *source, struct sample_sink *sink)
{
    emit_ns(sink, source->view->exporter.cpu_ns);
}

void collect_open_fds(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->view->exporter.open_fds > 0, source->view->exporter.open_fds);
}

void collect_max_fds(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->view->exporter.max_fds);
}

void collect_virtual(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->view->exporter.virtual_bytes);
}

void collect_virtual_max(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->view->exporter.virtual_max_bytes);
}

void collect_own_resident(const struct metric_source *source, struct sample_sink *sink)
{
    emit_value(sink, source->view->exporter.resident_bytes);
}

void collect_own_start(const struct metric_source *source, struct sample_sink *sink)
{
    emit_double(sink, source->view->exporter.start_time_seconds);
}

void collect_restarts(const struct metric_source *source, struct sample_sink *sink)
{
    const struct view_exporter *exporter = &source->view->exporter;
    for (size_t i = 0; i < exporter->restarts_count; i++)
        emit_labelled(sink, "role", exporter->restarts[i].label, exporter->restarts[i].value);
}

void collect_skipped(const struct metric_source *source, struct sample_sink *sink)
{
    for (int reason = 0; reason < SKIPPED_COUNT; reason++)
        emit_labelled(sink, "reason", skipped_name(reason), source->view->exporter.skipped[reason]);
}

void collect_requests(const struct metric_source *source, struct sample_sink *sink)
{
    const struct view_exporter *exporter = &source->view->exporter;
    for (size_t i = 0; i < exporter->requests_count; i++) {
        const struct view_count *count = &exporter->requests[i];
        sink->sample(sink, &(struct sample){.labels = {{"code", count->label}, {"handler", count->label2}},
                                            .labels_count = 2,
                                            .integer = count->value});
    }
}
