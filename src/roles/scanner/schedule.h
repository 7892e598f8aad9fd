/* schedule.h - which process is scanned next and when; the lock of the scanner is held in all of these. */
#ifndef ROLES_SCANNER_SCHEDULE_H
#define ROLES_SCANNER_SCHEDULE_H

#include "roles/scanner/state.h"

/**
 * The process that is due at @now_ns, or NULL; then *@next_ns is when to ask again (UINT64_MAX: not before
 * the schedule has changed or a scan has ended). Next to one that a scanner died of nothing is scanned.
 */
struct tracked *schedule_pick(const struct scanner *scanner, uint64_t now_ns, uint64_t *next_ns);

/**
 * The interval that a process really has: as configured, at least its last cost ÷ limits.max_cpu, and
 * stretched by what all processes together would exceed limits.max_cpu.
 */
uint64_t schedule_interval_ns(const struct scanner *scanner, const struct tracked *process);

/** Compute by how much intervals must be stretched. */
void schedule_update(struct scanner *scanner);

/** How late the scan is that is most overdue. */
uint64_t schedule_lag_ns(const struct scanner *scanner, uint64_t now_ns);

/** The time that a scan of it may take. */
uint64_t schedule_timeout_ns(const struct tracked *process);

/**
 * Set when it is due again and until when its result holds, after an attempt from @begin_ns to @end_ns that
 * ended with @status. last_duration_ns of the process is that of this attempt.
 */
void schedule_next(struct scanner *scanner, struct tracked *process, uint64_t begin_ns, uint64_t end_ns,
                   enum status status);

/**
 * Bring forward a scan that was planned by a longer interval than the configuration has now; its result holds
 * no longer than one of the new interval would. Others are left as they are planned. Returns whether the
 * result has changed and is to be reported.
 */
bool schedule_adapt(struct scanner *scanner, struct tracked *process, uint64_t now_ns);

#endif
