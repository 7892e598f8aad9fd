/*
 * held_threads.h - make all threads of a process stand still, by PTRACE_SEIZE and INTERRUPT (ptrace(2)),
 * until this process ends. No stop is consumed (waitid with WNOWAIT): a signal that was on its way when a
 * thread stopped is delivered when it goes on.
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

/** The threads of one process; set pid and budget_ns, the rest is zero. No deinit: our end is its end. */
struct held_threads {
    pid_t pid;
    uint64_t budget_ns;     /* from the first interrupt to when all run again */
    uint64_t begun_ns;      /* just before the first interrupt; 0: there was none */
    uint64_t release_by_ns; /* by when this process has to end, so that they run within the budget */
    struct held_thread *rows;
    size_t count, room;
    timer_t timer;
    struct task_list tasks;
};

/**
 * Stop them all. From the first one on the kernel kills this process at the latest when release_by_ns is over
 * by a millisecond. After a failure (see begin in target/hold.h) some may stand still, until this process
 * ends.
 */
enum status held_threads_stop(struct held_threads *held) must_check;

#endif
