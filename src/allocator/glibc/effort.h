/*
 * effort.h - how much looking for a heap may cost.
 *
 * Mappings, ELF headers and rings are the target's word: a hostile one offers thousands of modules, each with
 * rings that never end. The reads are counted by the target itself, so that nothing has to be told twice.
 */
#ifndef ALLOCATOR_GLIBC_EFFORT_H
#define ALLOCATOR_GLIBC_EFFORT_H

#include "target/target.h"

/** Where a search ends, found or not. Zeroed: at once. */
struct effort {
    uint64_t deadline_ns; /* monotonic */
    uint64_t calls_end;   /* values of the target's counters at which it ends */
    uint64_t bytes_end;
    bool is_spent; /* once it was too much it stays so */
};

/** From now on, until @deadline_ns at the latest. */
struct effort effort_begin(const struct target *target, uint64_t deadline_ns);

/** Whether to give up. */
bool effort_is_spent(struct effort *effort, const struct target *target);

#endif
