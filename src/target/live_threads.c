/* live_threads.c - the threads of a process from /proc/PID/task, and what the kernel tells of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/reserve.h"
#include "target/live_internal.h"
#include "target/proc_file.h"
#include "target/task_list.h"

struct thread_list {
    struct target_thread *rows;
    size_t count;
    size_t capacity;
};

static bool open_tasks(struct live *live, struct task_list *tasks)
{
    bool is_open = task_list_open(tasks, live->directory_fd, "task");
    if (!is_open)
        live_note_trouble(live, errno, "the threads");
    return is_open;
}

/* The next thread, 0 at the end. */
static pid_t next_task(struct live *live, struct task_list *tasks)
{
    pid_t tid = task_list_next(tasks);
    if (tasks->failed_errno)
        live_note_trouble(live, tasks->failed_errno, "the threads");
    return tid;
}

/* What task/TID/status says: the ids from our namespace inwards, and whether the thread is over. */
struct task_status {
    unsigned namespaces;
    pid_t own_tid;
    bool is_dead;
};

static enum status read_task_status(const struct live *live, pid_t tid, struct task_status *ret,
                                    struct error *err)
{
    char path[40];
    scoped_buffer struct buffer text = {0};
    snprintf(path, sizeof path, "task/%d/status", (int)tid);
    enum status status = proc_file_read(live->directory_fd, path, PROC_STATUS_BYTES_MAX, &text, err);
    if (status != STATUS_OK)
        return status;
    *ret = (struct task_status){.namespaces = 1, .own_tid = tid};
    const char *all = buffer_string(&text);
    const char *state = strstr(all, "\nState:\t");
    if (state)
        ret->is_dead = strchr("ZX", state[strlen("\nState:\t")]) != NULL;
    const char *ids = strstr(all, "\nNSpid:");
    if (!ids)
        return STATUS_OK;
    ids += strlen("\nNSpid:");
    for (ret->namespaces = 0; *ids == '\t'; ret->namespaces++) {
        char *end;
        ret->own_tid = (pid_t)strtol(ids + 1, &end, 10);
        ids = end;
    }
    return STATUS_OK;
}

static enum status append_thread(struct thread_list *list, pid_t tid, pid_t own_tid, struct error *err)
{
    if (!array_room(&list->rows, list->count, &list->capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the threads");
    list->rows[list->count++] = (struct target_thread){.tid = tid, .own_tid = own_tid};
    return STATUS_OK;
}

enum status live_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                         struct error *err)
{
    struct live *live = live_of(target);
    scoped(task_list_close) struct task_list tasks;
    struct task_status leader;
    if (!open_tasks(live, &tasks))
        return live_trouble(live, STATUS_GONE, err);
    enum status status = read_task_status(live, target->pid, &leader, err);
    if (status != STATUS_OK)
        return status;
    scoped_reserved struct target_thread *rows = NULL;
    struct thread_list list = {0};
    pid_t tid;
    while ((tid = next_task(live, &tasks)) != 0) {
        /* All threads of a process are in one pid namespace, and only a leader stays as a zombie: where it
         * has one id, nothing needs to be read of the others. */
        struct task_status thread = {.own_tid = tid};
        status = STATUS_OK;
        if (tid == target->pid)
            thread = leader;
        else if (leader.namespaces > 1)
            status = read_task_status(live, tid, &thread, err);
        if (status == STATUS_GONE || thread.is_dead)
            continue;
        if (status == STATUS_OK)
            status = append_thread(&list, tid, thread.own_tid, err);
        rows = list.rows;
        if (status != STATUS_OK)
            return status;
    }
    if (list.count == 0)
        return live_trouble(live, STATUS_GONE, err);
    *count_ret = list.count;
    *ret = take_ptr(rows);
    return STATUS_OK;
}

enum status live_robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    (void)target;
    void *head = NULL;
    size_t length = 0;
    if (syscall(SYS_get_robust_list, tid, &head, &length) != 0)
        return errno == EPERM ? STATUS_PERMISSION : errno == ESRCH ? STATUS_GONE : STATUS_SYSTEM;
    if (!head)
        return STATUS_NOT_FOUND;
    *head_ret = (uintptr_t)head;
    return STATUS_OK;
}

bool live_pick_thread(struct live *live)
{
    scoped(task_list_close) struct task_list tasks;
    pid_t tid;
    if (!open_tasks(live, &tasks))
        return false;
    while ((tid = next_task(live, &tasks)) != 0) {
        int refused = live_probe_memory(tid);
        if (refused == ESRCH)
            continue;
        live->read_tid = tid;
        return refused == 0;
    }
    return false;
}
