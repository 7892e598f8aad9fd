/* held.h - scans of a target that stands still: CONSISTENCY_SNAPSHOT. */
#ifndef ALLOCATOR_GLIBC_HELD_H
#define ALLOCATOR_GLIBC_HELD_H

#include "allocator/glibc/locate.h"

/**
 * Stop the target and walk its heap, within @request->snapshot_budget_ns in all. The memory for it is asked
 * for before. *@stops gets how it was stopped, also in vain; on success *@ret has it too. STATUS_TRACED and
 * STATUS_TOO_LARGE: it cannot be stopped, or not within that time; STATUS_TIMEOUT: it could, and the walk
 * took longer.
 */
enum status held_scan(struct target *target, const struct scan_request *request,
                      const struct glibc_locations *locations, struct scan_timing *stops,
                      struct snapshot **ret, struct error *err) must_check;

#endif
