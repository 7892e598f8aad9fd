/*
 * catalogue.h - each metric once: its name, type, unit, help and labels, and the function that yields its
 * samples. A new metric is a row here and the line that fills it.
 */
#ifndef METRICS_CATALOGUE_H
#define METRICS_CATALOGUE_H

#include "metrics/view.h"

/** What a metric is to Prometheus. */
enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_INFO, METRIC_HISTOGRAM };
/* What a metric is one set of: a process (or aggregated group), a group, the exporter. */
enum metric_scope { SCOPE_PROCESS, SCOPE_GROUP, SCOPE_EXPORTER };
enum value_kind { VALUE_U64, VALUE_NS, VALUE_DOUBLE, VALUE_HISTOGRAM };

#define SAMPLE_LABELS_MAX 8

/** What may be left out of a process. */
enum { OMIT_HISTOGRAM = 1, OMIT_DIFFERENCES = 2 };

/** One sample: its own labels (those of the scope are the writer's) and value. */
struct sample {
    struct view_label labels[SAMPLE_LABELS_MAX];
    unsigned labels_count;
    enum value_kind kind;
    uint64_t integer; /* U64, or NS: nanoseconds that are shown as seconds */
    double real;
    const struct histogram *histogram;
};

/** Receives samples of one source. */
struct sample_sink {
    void (*sample)(struct sample_sink *sink, const struct sample *sample);
};

/** What a collector reads; @process for SCOPE_PROCESS, @group for it and SCOPE_GROUP. */
struct metric_source {
    const struct view *view;
    const struct view_group *group;
    const struct view_process *process;
    bool has_numbers; /* the snapshot's numbers count */
    bool is_aggregate;
    unsigned omissions; /* OMIT_…: left out because of limits.max_series */
};

struct metric {
    const char *name;
    const char *unit; /* "bytes", "seconds", "ratio" or "" */
    enum metric_type type;
    enum metric_scope scope;
    const char *labels[SAMPLE_LABELS_MAX]; /* NULL-terminated unless full */
    const char *help;
    void (*collect)(const struct metric_source *source, struct sample_sink *sink);
};

/** All metrics, in the order of the exposition. */
const struct metric *catalogue(size_t *count);
const char *metric_type_name(enum metric_type type);

#endif
