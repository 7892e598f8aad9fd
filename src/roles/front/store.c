/* store.c - the latest results, under one reader-writer lock. */
#include "roles/front/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "config/config.h"
#include "link/link.h"

struct store {
    pthread_rwlock_t lock;
    uint64_t epoch;
    bool is_first_round;
    struct store_group **groups; /* sorted by name */
    size_t group_count, group_capacity;
    struct store_process **processes; /* sorted by pid */
    size_t process_count, process_capacity;
    int32_t ended[STORE_ENDED_MAX];
    size_t ended_next;
    struct message_settings settings;
    struct message_round round;
    bool has_settings, has_round;
};

struct store *store_new(void)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    pthread_rwlock_init(&store->lock, NULL);
    store->settings = (struct message_settings){.api_access = API_AUTHENTICATED,
                                                .max_streams = 2,
                                                .max_series = 50000,
                                                .max_arenas = 64,
                                                .size_histogram = 1,
                                                .residency = 1,
                                                .stream_timeout_ns = 300 * UINT64_C(1000000000)};
    return store;
}

static void group_unref(struct store_group *group)
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

void store_free(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->group_count; i++)
        group_unref(store->groups[i]);
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

/* Make room for one more pointer. */
static bool reserve(void ***items, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void **grown = realloc(*items, wanted * sizeof(**items));
    if (!grown)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

static size_t group_place(const struct store *store, const char *name, bool *found)
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

static size_t process_place(const struct store *store, int32_t pid, bool *found)
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

static void add_counters(struct group_counters *sum, const struct group_counters *added)
{
    for (int i = 0; i < SCAN_RESULT_COUNT; i++)
        sum->scans[i] += added->scans[i];
    sum->resyncs += added->resyncs;
    sum->read_bytes += added->read_bytes;
    sum->pause_ns += added->pause_ns;
}

/* Whether @labels are @count pairs of NUL-terminated strings and nothing else. */
static bool labels_are_sound(const char *labels, size_t length, uint32_t count)
{
    uint64_t strings = 0;
    for (size_t i = 0; i < length; i++)
        strings += labels[i] == '\0';
    return strings == 2 * (uint64_t)count && (length == 0 || labels[length - 1] == '\0');
}

/* Put @group in its place; the lock is held. Takes the reference. */
static enum status put_group(struct store *store, struct store_group *group, struct error *err)
{
    bool found;
    size_t at = group_place(store, group->message.name, &found);
    if (found) {
        add_counters(&group->message.added, &store->groups[at]->message.added);
        group_unref(store->groups[at]);
        store->groups[at] = group;
        return STATUS_OK;
    }
    if (store->group_count == STORE_GROUPS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "more than %d groups: %s is left out", STORE_GROUPS_MAX,
                         group->message.name);
    if (!reserve((void ***)&store->groups, store->group_count, &store->group_capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a group");
    memmove(store->groups + at + 1, store->groups + at, (store->group_count - at) * sizeof(*store->groups));
    store->groups[at] = group;
    store->group_count++;
    return STATUS_OK;
}

enum status store_group(struct store *store, const struct message_group *message, const void *labels,
                        size_t labels_length, struct error *err)
{
    if (!message_string_ok(message->name, sizeof(message->name)) || message->identify_by > IDENTIFY_NONE ||
        !labels_are_sound(labels, labels_length, message->labels_count))
        return error_set(err, STATUS_BAD_DATA, "a group of the scanner is not sound");
    struct store_group *group = malloc(sizeof(*group) + labels_length);
    if (!group)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a group");
    atomic_init(&group->references, 1);
    group->message = *message;
    group->labels_length = labels_length;
    if (labels_length)
        memcpy(group->labels, labels, labels_length);
    pthread_rwlock_wrlock(&store->lock);
    enum status status = put_group(store, group, err);
    pthread_rwlock_unlock(&store->lock);
    if (status)
        group_unref(group);
    return status;
}

/* A new scanner has not tried the process yet, but what the one before found is of the same program: it stays
 * until it is replaced or too old. */
static bool stays(const struct store_process *old, const struct store_process *new)
{
    return new->message.state == PROCESS_STATE_WAITING && old->message.state != PROCESS_STATE_WAITING &&
           old->snapshot->start_time_ticks == new->snapshot->start_time_ticks &&
           old->message.address_space ==
               new->message.address_space &&strcmp(old->message.group, new->message.group) == 0;
}

static enum status put_process(struct store *store, struct store_process *process, struct error *err)
{
    bool found;
    size_t at = process_place(store, process->snapshot->pid, &found);
    process->epoch = store->epoch;
    if (found && stays(store->processes[at], process)) {
        store->processes[at]->epoch = store->epoch;
        store_process_unref(process);
        return STATUS_OK;
    }
    if (found) {
        store_process_unref(store->processes[at]);
        store->processes[at] = process;
        return STATUS_OK;
    }
    if (store->process_count == STORE_PROCESSES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "more than %d processes: one is left out",
                         STORE_PROCESSES_MAX);
    if (!reserve((void ***)&store->processes, store->process_count, &store->process_capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a process");
    memmove(store->processes + at + 1, store->processes + at,
            (store->process_count - at) * sizeof(*store->processes));
    store->processes[at] = process;
    store->process_count++;
    return STATUS_OK;
}

enum status store_process(struct store *store, const struct message_process *message, const void *snapshot,
                          size_t snapshot_length, struct error *err)
{
    if (message->state >= PROCESS_STATE_COUNT || message->failure >= FAILURE_COUNT ||
        message->failure_status >= STATUS_COUNT ||
        !message_string_ok(message->group, sizeof(message->group)) ||
        !message_string_ok(message->message, sizeof(message->message)) ||
        !snapshot_is_valid(snapshot, snapshot_length))
        return error_set(err, STATUS_BAD_DATA, "a result of the scanner is not sound");
    struct store_process *process = calloc(1, sizeof(*process));
    struct snapshot *block = malloc(snapshot_length);
    if (!process || !block) {
        free(process);
        free(block);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a result");
    }
    memcpy(block, snapshot, snapshot_length);
    block->references = 1;
    atomic_init(&process->references, 1);
    process->message = *message;
    process->snapshot = block;
    pthread_rwlock_wrlock(&store->lock);
    enum status status = put_process(store, process, err);
    pthread_rwlock_unlock(&store->lock);
    if (status)
        store_process_unref(process);
    return status;
}

static void remove_process(struct store *store, size_t at)
{
    store_process_unref(store->processes[at]);
    store->process_count--;
    memmove(store->processes + at, store->processes + at + 1,
            (store->process_count - at) * sizeof(*store->processes));
}

void store_round(struct store *store, const struct message_round *round)
{
    pthread_rwlock_wrlock(&store->lock);
    store->round = *round;
    store->has_round = true;
    size_t kept = 0;
    for (size_t i = 0; store->is_first_round && i < store->process_count; i++) {
        struct store_process *process = store->processes[i];
        if (process->epoch == store->epoch)
            store->processes[kept++] = process;
        else
            store_process_unref(process);
    }
    if (store->is_first_round)
        store->process_count = kept;
    store->is_first_round = false;
    pthread_rwlock_unlock(&store->lock);
}

void store_group_gone(struct store *store, const char *name)
{
    bool found;
    pthread_rwlock_wrlock(&store->lock);
    size_t at = group_place(store, name, &found);
    if (found) {
        group_unref(store->groups[at]);
        store->group_count--;
        memmove(store->groups + at, store->groups + at + 1,
                (store->group_count - at) * sizeof(*store->groups));
    }
    pthread_rwlock_unlock(&store->lock);
}

void store_process_gone(struct store *store, int32_t pid, bool has_ended)
{
    bool found;
    pthread_rwlock_wrlock(&store->lock);
    size_t at = process_place(store, pid, &found);
    if (found)
        remove_process(store, at);
    if (has_ended) {
        store->ended[store->ended_next] = pid;
        store->ended_next = (store->ended_next + 1) % STORE_ENDED_MAX;
    }
    pthread_rwlock_unlock(&store->lock);
}

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
        group_unref(view->groups[i]);
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
    size_t at = process_place(store, pid, &found);
    struct store_process *process = found ? store->processes[at] : NULL;
    if (process)
        atomic_fetch_add(&process->references, 1);
    pthread_rwlock_unlock(&store->lock);
    return process;
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
