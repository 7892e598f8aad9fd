/* discovery.c - see discovery.h: the loop and the taking over of a configuration. */
#include "roles/scanner/discovery.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/name_template.h"
#include "roles/scanner/census.h"
#include "roles/scanner/report.h"
#include "roles/scanner/schedule.h"
#include "roles/scanner/selection.h"

/* A round that is asked for comes after a rest of so many times what the last one took. */
#define REST_ROUNDS 4
#define REST_MIN_NS (50 * NS_PER_MS)
#define REST_MAX_NS NS_PER_SECOND
#define WAIT_MS_MAX 3600000

/* Groups whose name needs no process are there from the start. */
void discovery_make_groups(struct scanner *scanner)
{
    const struct config *config = scanner->config;
    groups_forget_entries(&scanner->groups);
    for (size_t i = 0; i < scanner->groups.count; i++)
        scanner->groups.items[i]->is_fixed = false;
    for (size_t i = 0; i < config->entries_count; i++) {
        const char *name;
        if (!name_template_is_literal(config->entries[i].name, &name))
            continue;
        struct group *group =
            groups_take(&scanner->groups, name, &config->entries[i], config->entries[i].scan.interval_ns);
        if (group)
            group->is_fixed = true;
    }
}

/* False: there is no configuration yet. */
static bool take_over_configuration(struct scanner *scanner)
{
    struct config *old = NULL;
    pthread_mutex_lock(&scanner->lock);
    if (scanner->next_config) {
        old = scanner->config;
        scanner->config = take_ptr(scanner->next_config);
        for (size_t i = 0; i < scanner->table.count; i++)
            scanner->table.items[i]->checked_ns = 0;
        discovery_make_groups(scanner);
        report_settings(scanner);
    }
    bool has_config = scanner->config != NULL;
    pthread_mutex_unlock(&scanner->lock);
    config_free(old);
    return has_config;
}

/* Processes, those scanned and the longest interval of each group, in one pass over the processes. */
static void count_members(struct scanner *scanner)
{
    for (size_t i = 0; i < scanner->groups.count; i++) {
        struct group *group = scanner->groups.items[i];
        group->round_processes = group->round_scanned = 0;
        group->round_interval_ns = 0;
    }
    for (size_t i = 0; i < scanner->table.count; i++) {
        const struct tracked *process = scanner->table.items[i];
        struct group *group = process->home;
        if (!group || process->has_ended)
            continue;
        uint64_t interval_ns = schedule_interval_ns(scanner, process);
        group->round_processes++;
        group->round_scanned +=
            process->group && process->result.state == PROCESS_STATE_OK && process->is_tried;
        if (interval_ns > group->round_interval_ns)
            group->round_interval_ns = interval_ns;
    }
}

static void update_group(struct scanner *scanner, struct group *group)
{
    struct message_group *message = &group->message;
    uint64_t interval_ns =
        group->round_interval_ns ? group->round_interval_ns : group->configured_interval_ns;
    group->is_changed |= message->processes != group->round_processes ||
                         message->scanned != group->round_scanned || message->interval_ns != interval_ns;
    message->processes = group->round_processes;
    message->scanned = group->round_scanned;
    message->interval_ns = interval_ns;
    message->is_templated = !group->is_fixed;
    report_group(scanner, group);
}

/* That nobody was in for too long, or that an entry named which is no more. */
static bool is_over(const struct scanner *scanner, const struct group *group, uint64_t now_ns)
{
    bool was_fixed = !group->message.is_templated && !group->round_processes;
    return !group->is_fixed &&
           (was_fixed || now_ns - group->last_member_ns > scanner->config->limits.group_ttl_ns);
}

void discovery_count_groups(struct scanner *scanner)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct groups *groups = &scanner->groups;
    count_members(scanner);
    for (size_t i = 0; i < groups->count;) {
        struct group *group = groups->items[i];
        if (group->round_processes || group->last_member_ns == 0)
            group->last_member_ns = now_ns;
        if (is_over(scanner, group, now_ns)) {
            report_group_gone(scanner, group);
            groups_remove(groups, group);
            continue;
        }
        update_group(scanner, group);
        i++;
    }
    groups_keep(groups, now_ns, scanner->config->limits.group_ttl_ns);
}

static void update_round(struct scanner *scanner, uint64_t now_ns)
{
    scanner->round.scan_lag_ns = schedule_lag_ns(scanner, now_ns);
    scanner->has_round = true;
    report_round(scanner);
}

static void run_round(struct scanner *scanner)
{
    census_take(scanner);
    pthread_mutex_lock(&scanner->lock);
    uint64_t now_ns = clock_monotonic_ns();
    selection_update(scanner);
    schedule_update(scanner);
    discovery_count_groups(scanner);
    update_round(scanner, now_ns);
    pthread_cond_broadcast(&scanner->is_due);
    pthread_mutex_unlock(&scanner->lock);
}

/*
 * Until the next round at @until_ns; one that is asked for comes at @earliest_ns: a program that execs all
 * the time asks after each scan.
 */
static void await_round(const struct scanner *scanner, uint64_t earliest_ns, uint64_t until_ns)
{
    bool is_wanted = false;
    for (;;) {
        uint64_t now_ns = clock_monotonic_ns(), woken;
        uint64_t limit_ns = is_wanted ? min_u64(earliest_ns, until_ns) : until_ns;
        if (now_ns >= limit_ns)
            return;
        struct pollfd wake = {scanner->wake_fd, POLLIN, 0};
        uint64_t wait_ms = (limit_ns - now_ns) / NS_PER_MS + 1;
        if (poll(&wake, 1, (int)min_u64(wait_ms, WAIT_MS_MAX)) > 0)
            is_wanted |= read(scanner->wake_fd, &woken, sizeof woken) == (ssize_t)sizeof woken;
    }
}

static uint64_t earliest_next(uint64_t begin_ns, uint64_t end_ns)
{
    uint64_t rest_ns = REST_ROUNDS * (end_ns - begin_ns);
    return end_ns + min_u64(rest_ns > REST_MIN_NS ? rest_ns : REST_MIN_NS, REST_MAX_NS);
}

static void *run(void *context)
{
    struct scanner *scanner = context;
    for (;;) {
        uint64_t begin_ns = clock_monotonic_ns(), wait_ns = 3600 * NS_PER_SECOND, earliest_ns = 0;
        if (take_over_configuration(scanner)) {
            run_round(scanner);
            wait_ns = scanner->config->discovery.interval_ns;
            earliest_ns = earliest_next(begin_ns, clock_monotonic_ns());
        }
        await_round(scanner, earliest_ns, begin_ns + wait_ns);
    }
    return NULL;
}

enum status discovery_start(struct scanner *scanner, struct error *err)
{
    pthread_t thread;
    int code = pthread_create(&thread, NULL, run, scanner);
    if (code != 0)
        return error_errno(err, code, "start the thread of discovery");
    pthread_detach(thread);
    return STATUS_OK;
}
