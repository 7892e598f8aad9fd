/* report.c - see report.h. */
#include "roles/scanner/report.h"

#include <stdio.h>
#include <string.h>

#include "roles/scanner/scan_process.h"

static void wake(struct scanner *scanner)
{
    if (scanner->front)
        pthread_cond_signal(&scanner->is_untold);
}

static void tell_event(struct scanner *scanner, enum message_kind kind, const void *body, size_t length)
{
    if (!scanner->front)
        return;
    untold_event(scanner, kind, body, length);
    wake(scanner);
}

void report_settings(struct scanner *scanner)
{
    const struct config *config = scanner->config;
    scanner->untold.settings = (struct message_settings){
        .api_access = config->api.access,
        .api_memory = config->api.memory,
        .max_streams = config->api.max_streams,
        .max_series = config->limits.max_series,
        .per_arena = config->metrics.per_arena,
        .max_arenas = config->metrics.max_arenas,
        .size_histogram = config->metrics.size_histogram,
        .residency = config->metrics.residency,
        .stream_timeout_ns = config->api.stream_timeout_ns,
        .group_ttl_ns = config->limits.group_ttl_ns,
    };
    scanner->untold.has_settings = true;
    wake(scanner);
}

void report_group(struct scanner *scanner, struct group *group)
{
    if (!group->is_changed)
        return;
    group->is_changed = false;
    group->is_untold = scanner->untold.may_have_groups = true;
    wake(scanner);
}

void report_group_gone(struct scanner *scanner, const struct group *group)
{
    struct message_group_gone message;
    memcpy(message.name, group->message.name, sizeof message.name);
    tell_event(scanner, MESSAGE_GROUP_GONE, &message, sizeof message);
}

void report_process(struct scanner *scanner, struct tracked *process)
{
    if (!process->snapshot)
        process->snapshot = tracked_blank_snapshot(process);
    if (!process->snapshot || !process->group || process->has_ended)
        return;
    process->result.address_space = process->id.address_space;
    memcpy(process->result.group, process->group->message.name, sizeof process->result.group);
    process->is_reported = true;
    process->is_untold = scanner->untold.may_have_processes = true;
    wake(scanner);
}

/* Now, not at the next round: its numbers leave the sums of its group at once too. */
static void leave_group(struct scanner *scanner, struct group *group)
{
    if (!group || group->message.processes == 0)
        return;
    group->message.processes--;
    group->is_changed = true;
    report_group(scanner, group);
}

void report_process_gone(struct scanner *scanner, struct tracked *process, bool has_ended)
{
    struct message_process_gone message = {.pid = process->id.pid, .has_ended = has_ended};
    if (process->is_reported)
        tell_event(scanner, MESSAGE_PROCESS_GONE, &message, sizeof message);
    if (process->is_reported && has_ended)
        leave_group(scanner, process->home);
    process->is_reported = process->is_untold = false;
}

void report_round(struct scanner *scanner)
{
    bool all_tried = true;
    for (size_t i = 0; i < scanner->table.count; i++)
        all_tried &= !scanner->table.items[i]->group || scanner->table.items[i]->is_tried ||
                     scanner->table.items[i]->has_ended;
    scanner->round.all_tried = all_tried;
    scanner->untold.has_round = scanner->has_round;
    wake(scanner);
}

void report_all(struct scanner *scanner)
{
    untold_forget_events(scanner);
    if (!scanner->config)
        return;
    report_settings(scanner);
    for (size_t i = 0; i < scanner->groups.count; i++) {
        struct group *group = scanner->groups.items[i];
        group->is_changed = true;
        report_group(scanner, group);
    }
    for (size_t i = 0; i < scanner->table.count; i++)
        if (scanner->table.items[i]->is_reported)
            report_process(scanner, scanner->table.items[i]);
    report_round(scanner);
}

void report_stream(struct scanner *scanner, enum message_kind kind, const struct message_stream_reply *reply)
{
    tell_event(scanner, kind, reply, sizeof *reply);
}
