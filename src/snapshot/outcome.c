/* outcome.c - see outcome.h: names from their tables. */
#include "snapshot/outcome.h"

#include <stddef.h>

#define X(name, label) label,

const char *scan_result_name(enum scan_result result)
{
    static const char *const NAMES[] = {SCAN_RESULT_TABLE(X)};
    return NAMES[result];
}

const char *failure_name(enum failure failure)
{
    static const char *const NAMES[] = {FAILURE_TABLE(X)};
    return NAMES[failure];
}

const char *skipped_name(enum skipped skipped)
{
    static const char *const NAMES[] = {SKIPPED_TABLE(X)};
    return NAMES[skipped];
}

void group_counters_add(struct group_counters *sum, const struct group_counters *added)
{
    for (size_t i = 0; i < SCAN_RESULT_COUNT; i++)
        sum->scans[i] += added->scans[i];
    sum->resyncs += added->resyncs;
    sum->read_bytes += added->read_bytes;
    sum->pause_ns += added->pause_ns;
}
