/* tracked.c - see tracked.h. */
#include "roles/scanner/tracked.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "roles/scanner/scan_process.h"
#include "snapshot/snapshot.h"

/* The first place whose pid is not below @pid. */
static size_t place_of(const struct tracked_table *table, int32_t pid)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->items[middle]->id.pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct tracked *tracked_find(const struct tracked_table *table, int32_t pid)
{
    size_t at = place_of(table, pid);
    return at < table->count && table->items[at]->id.pid == pid ? table->items[at] : NULL;
}

bool tracked_is_same(const struct message_process_id *a, const struct message_process_id *b)
{
    return a->pid == b->pid && a->start_time_ticks == b->start_time_ticks &&
           a->address_space == b->address_space;
}

struct tracked *tracked_find_same(const struct tracked_table *table, const struct message_process_id *id)
{
    struct tracked *process = tracked_find(table, id->pid);
    return process && tracked_is_same(&process->id, id) ? process : NULL;
}

struct tracked *tracked_add(struct tracked_table *table, const struct message_process_id *id)
{
    size_t at = place_of(table, id->pid);
    struct tracked *process = calloc(1, sizeof *process);
    if (!process || !array_room(&table->list, table->count, &table->list_capacity) ||
        !array_gap(&table->items, &table->count, &table->capacity, at)) {
        free(process);
        return NULL;
    }
    process->id = *id;
    process->pidfd = -1;
    table->items[at] = process;
    return process;
}

struct snapshot *tracked_blank_snapshot(const struct tracked *process)
{
    struct snapshot *snapshot = snapshot_new(0, 0, 0, 0);
    if (!snapshot)
        return NULL;
    snapshot->pid = process->id.pid;
    snapshot->start_time_ticks = process->id.start_time_ticks;
    snapshot->start_time_seconds = scan_start_time_seconds(process->id.start_time_ticks);
    snapshot->resident_bytes = process->resident_bytes;
    snapshot->labels = process->labels;
    return snapshot;
}

static void free_one(struct tracked *process)
{
    snapshot_unref(process->snapshot);
    if (process->pidfd >= 0)
        close(process->pidfd);
    free(process);
}

void tracked_remove(struct tracked_table *table, struct tracked *process)
{
    size_t at = place_of(table, process->id.pid);
    table->count--;
    memmove(table->items + at, table->items + at + 1, (table->count - at) * sizeof *table->items);
    free_one(process);
}

void tracked_deinit(struct tracked_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free_one(table->items[i]);
    free(table->items);
    free(table->list);
    *table = (struct tracked_table){0};
}
