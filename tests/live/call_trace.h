/* call_trace.h - which system calls a process makes for which it may make none but such that read. */
#ifndef LIVE_CALL_TRACE_H
#define LIVE_CALL_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CALLS_MAX 32

/** What was seen while it was watched. */
struct calls {
    uint64_t numbers[CALLS_MAX]; /* of those that may not be made */
    size_t count;
    size_t reads; /* of another process' memory, to see that anything is seen */
};

/**
 * Let @scanner, a child that asked to be traced and stopped itself, run to its end, stopped at each of its
 * system calls; those that it makes while *@is_watched go to @calls. False: it did not end with exit code 0.
 */
bool trace_calls(pid_t scanner, const atomic_bool *is_watched, struct calls *calls);

#endif
