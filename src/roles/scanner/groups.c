/* groups.c - see groups.h. */
#include "roles/scanner/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* By so much longer than a front keeps a group that no scanner knows: its counters must not begin anew
 * before. */
#define LEFT_NS (60 * NS_PER_SECOND)

struct group *groups_find(const struct groups *groups, const char *name)
{
    size_t at = name_index_first(&groups->by_name, name);
    for (; at != NAME_INDEX_END; at = name_index_next(&groups->by_name, at))
        if (strcmp(groups->items[at]->message.name, name) == 0)
            return groups->items[at];
    return NULL;
}

/* What scanners before this one have counted of it. */
static void take_row(struct groups *groups, struct group *group)
{
    struct error err;
    group->row = ledger_take(&groups->ledger, group->message.name, clock_monotonic_ns());
    if (group->row) {
        group->message.totals = group->row->totals;
    } else if (groups->ledger.memory) {
        error_set(&err, STATUS_TOO_LARGE, "the counters of group %s begin anew with each scanner",
                  group->message.name);
        log_error_limited(&groups->ledger_full, LOG_WARN, "too many groups", &err);
    }
}

static struct group *add(struct groups *groups, const char *name)
{
    if (!array_room(&groups->items, groups->count, &groups->capacity))
        return NULL;
    scoped_free struct group *group = calloc(1, sizeof *group);
    if (!group)
        return NULL;
    snprintf(group->message.name, sizeof group->message.name, "%s", name);
    if (!name_index_put(&groups->by_name, groups->count, group->message.name))
        return NULL;
    take_row(groups, group);
    groups->items[groups->count++] = group;
    return take_ptr(group);
}

static void pack_labels(const struct entry *entry, struct buffer *ret)
{
    for (size_t i = 0; entry && i < entry->labels_count; i++) {
        buffer_append(ret, entry->labels[i].name, strlen(entry->labels[i].name) + 1);
        buffer_append(ret, entry->labels[i].value, strlen(entry->labels[i].value) + 1);
    }
}

void groups_forget_entries(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        groups->items[i]->entry = NULL;
}

bool groups_agree(const struct entry *one, const struct entry *other)
{
    scoped_buffer struct buffer own = {0}, others = {0};
    pack_labels(one, &own);
    pack_labels(other, &others);
    return own.length == others.length && one->identify_by == other->identify_by &&
           (own.length == 0 || memcmp(own.data, others.data, own.length) == 0);
}

const struct entry *groups_conflict(const struct groups *groups, const char *name, const struct entry *entry)
{
    const struct group *group = groups_find(groups, name);
    if (!group || !group->entry || group->entry == entry)
        return NULL;
    return groups_agree(entry, group->entry) ? NULL : group->entry;
}

static void set_labels(struct group *group, const struct entry *entry)
{
    struct buffer labels = {0};
    pack_labels(entry, &labels);
    bool is_same = labels.length == group->labels.length &&
                   (labels.length == 0 || memcmp(labels.data, group->labels.data, labels.length) == 0);
    if (is_same || labels.failed) {
        buffer_deinit(&labels);
        return;
    }
    buffer_deinit(&group->labels);
    group->labels = labels;
    group->message.labels_count = (uint32_t)entry->labels_count;
    group->is_changed = true;
}

struct group *groups_take(struct groups *groups, const char *name, const struct entry *entry,
                          uint64_t interval_ns)
{
    struct group *group = groups_find(groups, name);
    if (!group) {
        group = add(groups, name);
        if (!group)
            return NULL;
        group->is_changed = true;
    }
    uint32_t identify_by = entry ? (uint32_t)entry->identify_by : IDENTIFY_PID;
    group->is_changed |= group->message.identify_by != identify_by;
    group->message.identify_by = identify_by;
    group->configured_interval_ns = interval_ns;
    if (!group->entry)
        group->entry = entry;
    set_labels(group, entry);
    return group;
}

void group_count(struct group *group, const struct group_counters *added)
{
    group_counters_add(&group->message.totals, added);
    if (group->row)
        group_counters_add(&group->row->totals, added);
    group->is_changed = true;
}

static void free_one(struct group *group)
{
    buffer_deinit(&group->labels);
    free(group);
}

void groups_keep(struct groups *groups, uint64_t now_ns, uint64_t ttl_ns)
{
    for (size_t i = 0; i < groups->count; i++)
        if (groups->items[i]->row)
            groups->items[i]->row->kept_ns = now_ns;
    if (ttl_ns < UINT64_MAX - LEFT_NS && now_ns > ttl_ns + LEFT_NS)
        ledger_expire(&groups->ledger, now_ns - ttl_ns - LEFT_NS);
}

/* The last group takes the place of the one that leaves: no memory is needed where there was a place before.
 */
static void close_gap(struct groups *groups, size_t at)
{
    size_t last = --groups->count;
    name_index_remove(&groups->by_name, at);
    if (at == last)
        return;
    groups->items[at] = groups->items[last];
    name_index_remove(&groups->by_name, last);
    (void)name_index_put(&groups->by_name, at, groups->items[at]->message.name);
}

void groups_remove(struct groups *groups, struct group *group)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->items[i] != group)
            continue;
        close_gap(groups, i);
        ledger_drop(&groups->ledger, group->row);
        free_one(group);
        return;
    }
}

void groups_deinit(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        free_one(groups->items[i]);
    free(groups->items);
    name_index_deinit(&groups->by_name);
    ledger_close(&groups->ledger);
    *groups = (struct groups){0};
}
