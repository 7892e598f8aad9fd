/*
 * witness.h - what this machine does to whoever is first in line: on each processor a thread of the highest
 * real-time priority that looks at the clock each quarter of a millisecond, and remembers when it could not.
 *
 * Nothing that a program does for itself makes it sooner than that: a host that has the processor of a
 * virtual machine for something else, or a kernel that leaves off nothing for it, keeps all others waiting as
 * well.
 */
#ifndef BENCH_WITNESS_H
#define BENCH_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

/** Begin on all processors that this process may use. False: real time is not allowed (sched(7)), or there
 * are more than it has room for. */
bool witness_start(void);

/** Look no longer: what follows tells of the time up to here. False: more happened than is remembered. */
bool witness_stop(void);

/** How much of @from_ns to @to_ns, monotonic, at least one of the processors was not to be had. */
uint64_t witness_late_ns(uint64_t from_ns, uint64_t to_ns);

/** The longest time that one of them was not to be had. */
uint64_t witness_longest_ns(void);

#endif
