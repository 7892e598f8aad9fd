/* store_take.c - groups and results as the scanner sends them, once they are found sound. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "config/config.h"
#include "link/link.h"
#include "roles/front/store_internal.h"

/* Whether @labels are @count pairs of NUL-terminated strings and nothing else. */
static bool labels_are_sound(const char *labels, size_t length, uint32_t count)
{
    uint64_t strings = 0;
    for (size_t i = 0; i < length; i++)
        strings += labels[i] == '\0';
    return strings == 2 * (uint64_t)count && (length == 0 || labels[length - 1] == '\0');
}

/* Whether @bytes more may be held once @freed are no more. */
static enum status check_bytes(const struct store *store, uint64_t bytes, uint64_t freed, struct error *err)
{
    if (store->bytes - freed + bytes > store->bytes_max)
        return error_set(err, STATUS_TOO_LARGE, "all results take more than %u MiB: one is left out",
                         (unsigned)(store->bytes_max >> 20));
    return STATUS_OK;
}

/* Put @group in its place; the lock is held. Takes the reference. */
static enum status put_group(struct store *store, struct store_group *group, struct error *err)
{
    bool found;
    size_t at = store_group_place(store, group->message.name, &found);
    group->epoch = store->epoch;
    uint64_t bytes = store_group_bytes(group), before = found ? store_group_bytes(store->groups[at]) : 0;
    enum status status = check_bytes(store, bytes, before, err);
    if (status != STATUS_OK)
        return status;
    if (found)
        store_group_unref(store->groups[at]);
    else if (store->group_count == STORE_GROUPS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "more than %d groups: %s is left out", STORE_GROUPS_MAX,
                         group->message.name);
    else if (!array_gap(&store->groups, &store->group_count, &store->group_capacity, at))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a group");
    store->groups[at] = group;
    store->bytes += bytes - before;
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
    group->left_ns = 0;
    group->message = *message;
    group->labels_length = labels_length;
    if (labels_length)
        memcpy(group->labels, labels, labels_length);
    pthread_rwlock_wrlock(&store->lock);
    enum status status = put_group(store, group, err);
    pthread_rwlock_unlock(&store->lock);
    if (status)
        store_group_unref(group);
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
    size_t at = store_process_place(store, process->snapshot->pid, &found);
    process->epoch = store->epoch;
    if (found && stays(store->processes[at], process)) {
        store->processes[at]->epoch = store->epoch;
        store_process_unref(process);
        return STATUS_OK;
    }
    uint64_t bytes = store_process_bytes(process);
    uint64_t before = found ? store_process_bytes(store->processes[at]) : 0;
    enum status status = check_bytes(store, bytes, before, err);
    if (status != STATUS_OK)
        return status;
    if (found)
        store_process_unref(store->processes[at]);
    else if (store->process_count == STORE_PROCESSES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "more than %d processes: one is left out",
                         STORE_PROCESSES_MAX);
    else if (!array_gap(&store->processes, &store->process_count, &store->process_capacity, at))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a process");
    store->processes[at] = process;
    store->bytes += bytes - before;
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
