/* attempt.h - one attempt to scan a process, and what it means for the process and its group; inside this
 * folder only. */
#ifndef ROLES_SCANNER_ATTEMPT_H
#define ROLES_SCANNER_ATTEMPT_H

#include "roles/scanner/scan_process.h"
#include "roles/scanner/state.h"

/** What was asked for and how it ended. Times are CLOCK_MONOTONIC; @snapshot, of a success, belongs to it. */
struct attempt {
    struct scan_job job;
    struct message_process_id id;
    char group[256];
    uint64_t timeout_ns;
    uint64_t begin_ns, end_ns;
    uint64_t cpu_ns; /* of all its threads */
    struct scan_timing stops;
    enum status status;
    struct snapshot *snapshot;
    struct error err;
    char allocator[32];
};

/** Count it to @group. The scanner's lock is held in both of these. */
void attempt_count(struct group *group, const struct attempt *attempt);

/** It becomes the latest result of @process, which is in a group, and is counted there; takes
 * @attempt->snapshot. */
void attempt_apply(struct scanner *scanner, struct tracked *process, struct attempt *attempt);

#endif
