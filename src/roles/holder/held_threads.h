/*
 * held_threads.h - make all threads of a process stand still, and let them go: by PTRACE_SEIZE, INTERRUPT and
 * DETACH (ptrace(2)). No stop is consumed (waitid with WNOWAIT).
 */
#ifndef ROLES_HOLDER_HELD_THREADS_H
#define ROLES_HOLDER_HELD_THREADS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "target/task_list.h"

struct held_thread;

/** The threads of one process; set pid and budget_ns, the rest is zero. The process ends with it: no deinit.
 */
struct held_threads {
    pid_t pid;
    uint64_t budget_ns;     /* from the first interrupt to the last detach */
    uint64_t begun_ns;      /* just before the first interrupt; 0: there was none */
    uint64_t let_go_ns;     /* what letting go of all takes, as far as can be told */
    uint64_t release_by_ns; /* by when to let go, so that the last thread runs within the budget */
    struct held_thread *rows;
    size_t count, room;
    timer_t timer;
    struct task_list tasks;
};

/**
 * Stop them all. From the first one on the kernel kills this process, which lets go of all, at the latest
 * when release_by_ns is over by a millisecond. After a failure (see begin in target/hold.h) those that
 * stopped are still to be let go.
 */
enum status held_threads_stop(struct held_threads *held) must_check;

/** Let go of all; returns how long it was since the first interrupt, in ns; 0: there was none. */
uint64_t held_threads_let_go(struct held_threads *held);

#endif
