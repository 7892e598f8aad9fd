/*
 * stop_share.h - how often requests may stop one process.
 *
 * Scans in the schedule are bounded by limits.max_cpu. What clients ask for is bounded here: after a stop of
 * some length none may follow for 19 times that, so that requests stop a process for a twentieth of the time
 * at most, however often they come; and one at a time.
 */
#ifndef ROLES_SCANNER_STOP_SHARE_H
#define ROLES_SCANNER_STOP_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/** Of one process. Zero-initialise. Times are of the monotonic clock. */
struct stop_share {
    bool is_taken;       /* a request that may stop it is under way */
    uint64_t free_at_ns; /* not before */
};

/** Begin a request that may stop the process: 0, else how long to wait at least before asking again. */
uint64_t stop_share_take(struct stop_share *share, uint64_t now_ns);

/** It has ended, and stopped the process for @stopped_ns in all. */
void stop_share_give(struct stop_share *share, uint64_t now_ns, uint64_t stopped_ns);

#endif
