/* store.c - the store as a whole: its begin and end, its epochs, what leaves it. */
#include "roles/front/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/give_back.h"
#include "config/config.h"
#include "roles/front/store_internal.h"

struct store *store_new(uint64_t bytes_max)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    pthread_rwlock_init(&store->lock, NULL);
    store->bytes_max = bytes_max;
    store->settings = (struct message_settings){.api_access = API_AUTHENTICATED,
                                                .max_streams = 2,
                                                .max_series = 50000,
                                                .max_arenas = 64,
                                                .size_histogram = 1,
                                                .residency = 1,
                                                .stream_timeout_ns = 300 * UINT64_C(1000000000),
                                                .group_ttl_ns = 3600 * UINT64_C(1000000000)};
    return store;
}

void store_group_unref(struct store_group *group)
{
    if (group && atomic_fetch_sub(&group->references, 1) == 1)
        free(group);
}

void store_process_unref(struct store_process *process)
{
    if (!process || atomic_fetch_sub(&process->references, 1) != 1)
        return;
    free(process->snapshot);
    free(process);
}

uint64_t store_group_bytes(const struct store_group *group)
{
    return sizeof(*group) + group->labels_length;
}

uint64_t store_process_bytes(const struct store_process *process)
{
    return sizeof(*process) + process->snapshot->total_bytes;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->group_count; i++)
        store_group_unref(store->groups[i]);
    for (size_t i = 0; i < store->process_count; i++)
        store_process_unref(store->processes[i]);
    free(store->groups);
    free(store->processes);
    pthread_rwlock_destroy(&store->lock);
    free(store);
}

void store_set_epoch(struct store *store, uint64_t epoch)
{
    pthread_rwlock_wrlock(&store->lock);
    store->epoch = epoch;
    store->is_first_round = true;
    pthread_rwlock_unlock(&store->lock);
}

enum status store_settings(struct store *store, const struct message_settings *settings, struct error *err)
{
    if (settings->api_access > API_OPEN)
        return error_set(err, STATUS_BAD_DATA, "settings of the scanner: api_access is out of range");
    pthread_rwlock_wrlock(&store->lock);
    store->settings = *settings;
    store->has_settings = true;
    pthread_rwlock_unlock(&store->lock);
    return STATUS_OK;
}

struct message_settings store_current_settings(struct store *store)
{
    pthread_rwlock_rdlock(&store->lock);
    struct message_settings settings = store->settings;
    pthread_rwlock_unlock(&store->lock);
    return settings;
}

size_t store_group_place(const struct store *store, const char *name, bool *found)
{
    size_t low = 0, high = store->group_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(store->groups[middle]->message.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < store->group_count && !strcmp(store->groups[low]->message.name, name);
    return low;
}

size_t store_process_place(const struct store *store, int32_t pid, bool *found)
{
    size_t low = 0, high = store->process_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (store->processes[middle]->snapshot->pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < store->process_count && store->processes[low]->snapshot->pid == pid;
    return low;
}

static void remove_process(struct store *store, size_t at)
{
    store->bytes -= store_process_bytes(store->processes[at]);
    store_process_unref(store->processes[at]);
    give_back_want();
    store->process_count--;
    memmove(store->processes + at, store->processes + at + 1,
            (store->process_count - at) * sizeof(*store->processes));
}

void store_round(struct store *store, const struct message_round *round, uint64_t now_ns)
{
    pthread_rwlock_wrlock(&store->lock);
    store->round = *round;
    store->has_round = true;
    size_t kept = 0;
    for (size_t i = 0; store->is_first_round && i < store->process_count; i++) {
        struct store_process *process = store->processes[i];
        if (process->epoch == store->epoch) {
            store->processes[kept++] = process;
            continue;
        }
        store->bytes -= store_process_bytes(process);
        store_process_unref(process);
    }
    if (store->is_first_round)
        store->process_count = kept;
    store_leave_groups(store, now_ns);
    store->is_first_round = false;
    pthread_rwlock_unlock(&store->lock);
}

void store_process_gone(struct store *store, int32_t pid, bool has_ended)
{
    bool found;
    pthread_rwlock_wrlock(&store->lock);
    size_t at = store_process_place(store, pid, &found);
    if (found)
        remove_process(store, at);
    if (has_ended) {
        store->ended[store->ended_next] = pid;
        store->ended_next = (store->ended_next + 1) % STORE_ENDED_MAX;
    }
    pthread_rwlock_unlock(&store->lock);
}

bool store_has_ended(struct store *store, int32_t pid)
{
    bool found = false;
    pthread_rwlock_rdlock(&store->lock);
    for (size_t i = 0; pid > 0 && i < STORE_ENDED_MAX; i++)
        found |= store->ended[i] == pid;
    pthread_rwlock_unlock(&store->lock);
    return found;
}

bool store_all_tried(struct store *store)
{
    pthread_rwlock_rdlock(&store->lock);
    bool all = store->has_round && store->round.all_tried;
    pthread_rwlock_unlock(&store->lock);
    return all;
}
