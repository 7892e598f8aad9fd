/*
 * tasks.h - the threads of a process and their states from /proc, by system calls alone: no memory is asked
 * for while threads stand still.
 */
#ifndef ROLES_HOLDER_TASKS_H
#define ROLES_HOLDER_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Threads of one process, one after the other. */
struct tasks {
    int fd;
    size_t length, at; /* of the entries held */
    char entries[8192] __attribute__((aligned(8)));
};

/** Begin with the first thread of @pid. False: there is no such process. tasks_close() ends it. */
bool tasks_open(struct tasks *tasks, pid_t pid);
/** The next thread, 0 behind the last one. */
pid_t tasks_next(struct tasks *tasks);
void tasks_close(struct tasks *tasks);

/** Who traces thread @tid: a pid, 0 for nobody, -1 where the thread is gone or over (a zombie). */
pid_t task_tracer(pid_t tid);

#endif
