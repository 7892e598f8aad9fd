/* crew.h - threads that wait until they are given work, do it side by side, and wait again. */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct crew;

/** What each member does; @member counts from 0. */
typedef void crew_work_fn(void *context, unsigned member);

/**
 * Start @members threads (at least 1). crew_free() ends them; until then they do not take any memory or
 * make any thread. STATUS_NO_MEMORY; STATUS_SYSTEM: the kernel gives no thread.
 */
enum status crew_new(unsigned members, struct crew **ret, struct error *err) must_check;

/** End the threads, which must have no work. NULL is allowed. */
void crew_free(struct crew *crew);

/** Let each member do @work(@context, its number), and return at once. They must have no work yet. */
void crew_begin(struct crew *crew, crew_work_fn *work, void *context);

/** The kernel's number of a member's thread. */
pid_t crew_tid(const struct crew *crew, unsigned member);

/** Wait until all members have done what crew_begin() gave them. What they wrote can be read then. */
void crew_await(struct crew *crew);

/** Processor time of all work done so far, nanoseconds; while the members have none. */
uint64_t crew_cpu_ns(const struct crew *crew);

#endif
