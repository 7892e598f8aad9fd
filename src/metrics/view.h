/*
 * view.h - what a scrape looks at: groups, processes and the exporter itself, as plain structs that the front
 * fills from its store. Nothing is owned; all of it must stay until the scrape is rendered.
 */
#ifndef METRICS_VIEW_H
#define METRICS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/outcome.h"
#include "snapshot/snapshot.h"

struct view_label { /* of a series; the texts are the caller's */
    const char *name;
    const char *value;
};

/** A group with its constant labels and counters since the exporter started. */
struct view_group {
    const char *name;
    const struct view_label *labels;
    size_t labels_count;
    bool is_aggregated; /* identify_by: none */
    struct group_counters counters;
    uint64_t interval_ns;
    uint64_t processes;
    uint64_t scanned;
};

/**
 * A process. @snapshot is never NULL; its numbers count in state OK only. A result that is too old has state
 * FAILED and failure STALE here.
 */
struct view_process {
    const struct view_group *group;
    enum process_state state;
    enum failure failure;
    const struct snapshot *snapshot;
};

/** A count with one label's value, or two. */
struct view_count {
    const char *label;
    const char *label2;
    uint64_t value;
};

/** The exporter's own numbers; the process_* ones over all its processes. */
struct view_exporter {
    const char *version;
    bool config_reload_ok;
    double config_reload_timestamp_seconds; /* 0: never */
    const struct view_count *restarts;      /* label: role */
    size_t restarts_count;
    const struct view_count *requests; /* label: code, label2: handler */
    size_t requests_count;
    uint64_t skipped[SKIPPED_COUNT];
    uint64_t series_left_out;
    uint64_t scan_lag_ns;
    uint64_t cpu_ns;
    uint64_t open_fds; /* 0: they could not be counted */
    uint64_t max_fds;
    uint64_t virtual_bytes, virtual_max_bytes, resident_bytes;
    double start_time_seconds;
};

struct view {
    const struct view_group *groups;
    size_t groups_count;
    const struct view_process *processes;
    size_t processes_count;
    struct view_exporter exporter;
    bool per_arena, size_histogram, residency;
    uint32_t max_arenas;
    uint32_t max_series; /* 0: no limit */
};

#endif
