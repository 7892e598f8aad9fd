/* clock.h - durations by CLOCK_MONOTONIC, points in time for people by CLOCK_REALTIME (clock_gettime(2)). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/** Nanoseconds of CLOCK_MONOTONIC: never jumps, starts anywhere. */
uint64_t clock_monotonic_ns(void);

/** Nanoseconds of processor time that the calling thread has used. */
uint64_t clock_thread_cpu_ns(void);

/** Nanoseconds since 1970 (CLOCK_REALTIME): for timestamps that are shown, never for durations. */
uint64_t clock_realtime_ns(void);

#endif
