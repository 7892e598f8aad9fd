/*
 * overdue.h - for how long a thread is late by its own doing: it sleeps, or it computes. That it waits for a
 * processor is the machine's doing: on one that is overloaded nothing hangs.
 */
#ifndef TARGET_OVERDUE_H
#define TARGET_OVERDUE_H

#include <stdint.h>

#include "target/live.h"

/** Whoever looks counts no more than this for one look: it may have stood still itself. */
#define OVERDUE_LOOK_MAX_NS UINT64_C(2000000000)

/** Zero-initialise where the thread becomes late. */
struct overdue {
    uint64_t looked_ns; /* the last look, CLOCK_MONOTONIC; 0: none yet */
    uint64_t cpu_ticks; /* the processor's time that it had had by then */
    uint64_t spent_ns;
};

/**
 * Look at the thread once more: @stat is its stat file, or NULL where that cannot be read. Returns for how
 * long it has been late since the first look, in nanoseconds: while it could run, the processor's time that
 * it had; else all the time that passed.
 */
uint64_t overdue_look(struct overdue *overdue, const struct proc_stat *stat, uint64_t now_ns);

#endif
