/* task_list.h - the threads of a process as /proc/PID/task lists them, without any memory from the system. */
#ifndef TARGET_TASK_LIST_H
#define TARGET_TASK_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Threads of one process, one after the other. */
struct task_list {
    int fd;
    int failed_errno;  /* why task_list_next() ended before the last one; 0: it did not */
    size_t length, at; /* of the entries held */
    char entries[8192] __attribute__((aligned(8)));
};

/** Begin with the first of @path, relative to @directory_fd. False with errno; task_list_close() ends it. */
bool task_list_open(struct task_list *list, int directory_fd, const char *path);
/** The next thread, 0 behind the last one. */
pid_t task_list_next(struct task_list *list);
/** Does nothing where it is closed. */
void task_list_close(struct task_list *list);

#endif
