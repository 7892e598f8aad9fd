/* store_view.c - what readers see: all of one moment, one process, and what it is worth by now. */
#include <stdlib.h>
#include <string.h>

#include "roles/front/store_internal.h"

static int by_group_and_pid(const void *a, const void *b)
{
    const struct store_process *left = *(struct store_process *const *)a;
    const struct store_process *right = *(struct store_process *const *)b;
    int order = strcmp(left->message.group, right->message.group);
    return order
               ? order
               : (left->snapshot->pid > right->snapshot->pid) - (left->snapshot->pid < right->snapshot->pid);
}

/* Take a reference to all; the lock is held. */
static bool fill_view(struct store *store, struct store_view *view)
{
    view->groups = calloc(store->group_count + 1, sizeof(struct store_group *));
    view->processes = calloc(store->process_count + 1, sizeof(struct store_process *));
    if (!view->groups || !view->processes)
        return false;
    for (; view->group_count < store->group_count; view->group_count++) {
        view->groups[view->group_count] = store->groups[view->group_count];
        atomic_fetch_add(&view->groups[view->group_count]->references, 1);
    }
    for (; view->process_count < store->process_count; view->process_count++) {
        view->processes[view->process_count] = store->processes[view->process_count];
        atomic_fetch_add(&view->processes[view->process_count]->references, 1);
    }
    view->settings = store->settings;
    view->round = store->round;
    view->has_settings = store->has_settings;
    view->has_round = store->has_round;
    return true;
}

enum status store_view(struct store *store, struct store_view *ret, struct error *err)
{
    struct store_view view = {0};
    pthread_rwlock_rdlock(&store->lock);
    bool filled = fill_view(store, &view);
    pthread_rwlock_unlock(&store->lock);
    if (!filled) {
        store_view_deinit(&view);
        return error_set(err, STATUS_NO_MEMORY, "no memory for an answer");
    }
    qsort(view.processes, view.process_count, sizeof(*view.processes), by_group_and_pid);
    *ret = view;
    return STATUS_OK;
}

void store_view_deinit(struct store_view *view)
{
    for (size_t i = 0; i < view->group_count; i++)
        store_group_unref(view->groups[i]);
    for (size_t i = 0; i < view->process_count; i++)
        store_process_unref(view->processes[i]);
    free(view->groups);
    free(view->processes);
    *view = (struct store_view){0};
}

struct store_process *store_find(struct store *store, int32_t pid)
{
    bool found;
    pthread_rwlock_rdlock(&store->lock);
    size_t at = store_process_place(store, pid, &found);
    struct store_process *process = found ? store->processes[at] : NULL;
    if (process)
        atomic_fetch_add(&process->references, 1);
    pthread_rwlock_unlock(&store->lock);
    return process;
}

static bool is_stale(const struct store_process *process, uint64_t now_ns)
{
    return (process->message.state == PROCESS_STATE_OK || process->message.state == PROCESS_STATE_FAILED) &&
           now_ns > process->message.valid_until_ns;
}

enum process_state store_state_at(const struct store_process *process, uint64_t now_ns)
{
    return is_stale(process, now_ns) ? PROCESS_STATE_FAILED : (enum process_state)process->message.state;
}

enum failure store_failure_at(const struct store_process *process, uint64_t now_ns)
{
    return is_stale(process, now_ns) ? FAILURE_STALE : (enum failure)process->message.failure;
}
