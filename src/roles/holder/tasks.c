/* tasks.c - see tasks.h. */
#include "roles/holder/tasks.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux_dirent64 of getdents64(2). */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

bool tasks_open(struct tasks *tasks, pid_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks->length = tasks->at = 0;
    tasks->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return tasks->fd >= 0;
}

pid_t tasks_next(struct tasks *tasks)
{
    for (;;) {
        if (tasks->at >= tasks->length) {
            long got = syscall(SYS_getdents64, tasks->fd, tasks->entries, sizeof tasks->entries);
            if (got <= 0)
                return 0;
            tasks->length = (size_t)got;
            tasks->at = 0;
        }
        const struct entry *entry = (const void *)(tasks->entries + tasks->at);
        tasks->at += entry->length;
        pid_t tid = (pid_t)atoi(entry->name);
        if (tid > 0)
            return tid;
    }
}

void tasks_close(struct tasks *tasks)
{
    if (tasks->fd >= 0)
        close(tasks->fd);
    tasks->fd = -1;
}

pid_t task_tracer(pid_t tid)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return -1;
    text[got] = '\0';
    const char *state = strstr(text, "\nState:\t"), *tracer = strstr(text, "\nTracerPid:\t");
    if (!state || !tracer || strchr("ZX", state[strlen("\nState:\t")]))
        return -1;
    return (pid_t)atoi(tracer + strlen("\nTracerPid:\t"));
}
