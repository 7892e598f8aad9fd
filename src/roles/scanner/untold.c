/* untold.c - see untold.h. */
#include "roles/scanner/untold.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "roles/scanner/state.h"

/* More than ten thousand processes that end while the front does not read. */
#define EVENT_BYTES_MAX ((size_t)1 << 20)

void untold_event(struct scanner *scanner, enum message_kind kind, const void *body, size_t length)
{
    struct untold *untold = &scanner->untold;
    struct event *event = NULL;
    if (!untold->are_events_lost && untold->event_bytes + sizeof *event + length <= EVENT_BYTES_MAX)
        event = malloc(sizeof *event + length);
    untold->are_events_lost |= !event;
    if (!event)
        return;
    event->next = NULL;
    event->kind = kind;
    event->length = length;
    memcpy(event->body, body, length);
    *(untold->first ? untold->last : &untold->first) = event;
    untold->last = &event->next;
    untold->event_bytes += sizeof *event + length;
}

static struct event *take_event(struct untold *untold)
{
    struct event *event = untold->first;
    untold->first = event->next;
    untold->event_bytes -= sizeof *event + event->length;
    return event;
}

void untold_forget_events(struct scanner *scanner)
{
    while (scanner->untold.first)
        free(take_event(&scanner->untold));
    scanner->untold.are_events_lost = false;
}

/* The first untold row of a table at or behind *@at, round and round; false, and none is looked for until one
 * is marked: there is none. */
static bool find_untold(const struct scanner *scanner, bool (*is_untold)(const struct scanner *, size_t),
                        size_t count, bool *may_have, size_t *at)
{
    for (size_t i = 0; *may_have && i < count; i++) {
        size_t row = (*at + i) % count;
        if (!is_untold(scanner, row))
            continue;
        *at = row;
        return true;
    }
    *may_have = false;
    return false;
}

static bool is_group_untold(const struct scanner *scanner, size_t row)
{
    return scanner->groups.items[row]->is_untold;
}

static bool is_process_untold(const struct scanner *scanner, size_t row)
{
    return scanner->table.items[row]->is_untold;
}

static struct group *find_group(struct scanner *scanner)
{
    struct untold *untold = &scanner->untold;
    bool is_found = find_untold(scanner, is_group_untold, scanner->groups.count, &untold->may_have_groups,
                                &untold->group_at);
    return is_found ? scanner->groups.items[untold->group_at] : NULL;
}

static struct tracked *find_process(struct scanner *scanner)
{
    struct untold *untold = &scanner->untold;
    bool is_found = find_untold(scanner, is_process_untold, scanner->table.count, &untold->may_have_processes,
                                &untold->process_at);
    return is_found ? scanner->table.items[untold->process_at] : NULL;
}

static enum status write_group(struct group *group, struct letter *ret, struct error *err)
{
    char *labels = NULL;
    if (group->labels.length) {
        labels = malloc(group->labels.length);
        if (!labels)
            return error_set(err, STATUS_NO_MEMORY, "no memory for a group's labels");
        memcpy(labels, group->labels.data, group->labels.length);
    }
    *ret = (struct letter){.kind = MESSAGE_GROUP,
                           .copy.group = group->message,
                           .labels = labels,
                           .extra = labels,
                           .extra_length = group->labels.length};
    group->is_untold = false;
    return STATUS_OK;
}

static void write_process(struct tracked *process, struct letter *ret)
{
    *ret = (struct letter){.kind = MESSAGE_PROCESS,
                           .copy.process = process->result,
                           .snapshot = snapshot_ref(process->snapshot),
                           .extra = process->snapshot,
                           .extra_length = process->snapshot->total_bytes};
    process->is_untold = false;
}

/* Of what has a latest state. */
static enum status write_state(struct scanner *scanner, struct letter *ret, struct error *err)
{
    struct untold *untold = &scanner->untold;
    struct group *group;
    struct tracked *process;
    if (untold->has_settings) {
        *ret = (struct letter){.kind = MESSAGE_SETTINGS, .copy.settings = untold->settings};
        untold->has_settings = false;
        return STATUS_OK;
    }
    if ((group = find_group(scanner)))
        return write_group(group, ret, err);
    if ((process = find_process(scanner))) {
        write_process(process, ret);
        return STATUS_OK;
    }
    if (!untold->has_round)
        return error_set(err, STATUS_NOT_FOUND, "all is told");
    *ret = (struct letter){.kind = MESSAGE_ROUND, .copy.round = scanner->round};
    untold->has_round = false;
    return STATUS_OK;
}

enum status untold_next(struct scanner *scanner, struct letter *ret, struct error *err)
{
    if (scanner->untold.are_events_lost)
        return error_set(err, STATUS_TIMEOUT, "more has ended than waits for a front that does not read");
    if (scanner->untold.first) {
        struct event *event = take_event(&scanner->untold);
        *ret = (struct letter){.kind = event->kind, .event = event};
        return STATUS_OK;
    }
    return write_state(scanner, ret, err);
}

const void *letter_body(const struct letter *letter)
{
    return letter->event ? (const void *)letter->event->body : &letter->copy;
}

void letter_deinit(struct letter *letter)
{
    free(letter->event);
    free(letter->labels);
    snapshot_unref(letter->snapshot);
    *letter = (struct letter){0};
}
