/*
 * outcome.h - how scans of a process end and what a group counts of them: the words that the scanner, the
 * metrics and the API share.
 */
#ifndef SNAPSHOT_OUTCOME_H
#define SNAPSHOT_OUTCOME_H

#include <stdint.h>

/* Results of malloc_scans_total: enumerator, label. */
#define SCAN_RESULT_TABLE(X)        \
    X(OK, "ok")                     \
    X(GONE, "gone")                 \
    X(PERMISSION, "permission")     \
    X(UNSUPPORTED, "unsupported")   \
    X(TIMEOUT, "timeout")           \
    X(INCONSISTENT, "inconsistent") \
    X(ERROR, "error")
enum scan_result {
#define X(name, label) SCAN_RESULT_##name,
    SCAN_RESULT_TABLE(X)
#undef X
        SCAN_RESULT_COUNT
};
const char *scan_result_name(enum scan_result result);

/* Reasons of malloc_last_scan_failure: enumerator, label. */
#define FAILURE_TABLE(X)            \
    X(NONE, "")                     \
    X(PERMISSION, "permission")     \
    X(TIMEOUT, "timeout")           \
    X(INCONSISTENT, "inconsistent") \
    X(CRASHED, "crashed")           \
    X(STALE, "stale")               \
    X(ERROR, "error")
enum failure {
#define X(name, label) FAILURE_##name,
    FAILURE_TABLE(X)
#undef X
        FAILURE_COUNT
};
const char *failure_name(enum failure failure);

/** What is counted of a group. */
struct group_counters {
    uint64_t scans[SCAN_RESULT_COUNT];
    uint64_t resyncs;
    uint64_t read_bytes;
    uint64_t pause_ns;
};
/** Add @added to @sum. */
void group_counters_add(struct group_counters *sum, const struct group_counters *added);

/** What is known of a process. */
enum process_state {
    PROCESS_STATE_WAITING,     /* selected, not scanned yet */
    PROCESS_STATE_OK,          /* the last scan succeeded */
    PROCESS_STATE_FAILED,      /* the last scan failed: see failure */
    PROCESS_STATE_UNSUPPORTED, /* it does not use glibc malloc */
    PROCESS_STATE_COUNT
};

/* Reasons of malloc_exporter_skipped_processes: enumerator, label. */
#define SKIPPED_TABLE(X)          \
    X(LIMIT, "limit")             \
    X(MIN_UPTIME, "min_uptime")   \
    X(PERMISSION, "permission")   \
    X(UNSUPPORTED, "unsupported") \
    X(QUARANTINED, "quarantined") \
    X(CONFLICT, "conflict")
enum skipped {
#define X(name, label) SKIPPED_##name,
    SKIPPED_TABLE(X)
#undef X
        SKIPPED_COUNT
};
const char *skipped_name(enum skipped skipped);

#endif
