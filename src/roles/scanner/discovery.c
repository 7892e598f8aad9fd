/* discovery.c - see discovery.h: the loop, the ends of processes, the taking over of a configuration. */
#include "roles/scanner/discovery.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/name_template.h"
#include "roles/scanner/census.h"
#include "roles/scanner/report.h"
#include "roles/scanner/schedule.h"
#include "roles/scanner/selection.h"

#define EVENTS_MAX 64

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
        if (!group)
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

/* A process whose pidfd is readable has ended: its series go at once. */
static void take_end(struct scanner *scanner, int32_t pid)
{
    pthread_mutex_lock(&scanner->lock);
    struct tracked *process = tracked_find(&scanner->table, pid);
    if (process && process->pidfd >= 0) {
        struct pollfd end = {process->pidfd, POLLIN, 0};
        if (poll(&end, 1, 0) > 0) {
            report_process_gone(scanner, process, true);
            tracked_remove(&scanner->table, process);
        }
    }
    pthread_mutex_unlock(&scanner->lock);
}

/* Take what has ended, for which @wait_ms is waited at most; true: discovery is wanted before its time. */
static bool take_ends(struct scanner *scanner, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    bool is_wanted = false;
    int count = epoll_wait(scanner->epoll_fd, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++) {
        uint64_t woken;
        if (events[i].data.u64 != 0)
            take_end(scanner, (int32_t)events[i].data.u64);
        else
            is_wanted |= read(scanner->wake_fd, &woken, sizeof woken) == (ssize_t)sizeof woken;
    }
    return is_wanted;
}

bool discovery_take_ends(struct scanner *scanner)
{
    return scanner->epoll_fd >= 0 && take_ends(scanner, 0);
}

/* Until the next round: take ends of processes as they come. */
static void await_round(struct scanner *scanner, uint64_t until_ns)
{
    bool is_wanted = scanner->is_wanted;
    scanner->is_wanted = false;
    for (uint64_t now_ns = clock_monotonic_ns(); !is_wanted && now_ns < until_ns;
         now_ns = clock_monotonic_ns()) {
        uint64_t wait_ms = (until_ns - now_ns) / NS_PER_MS + 1;
        is_wanted = take_ends(scanner, wait_ms < 3600000 ? (int)wait_ms : 3600000);
    }
}

static void *run(void *context)
{
    struct scanner *scanner = context;
    scoped_fd int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = 0};
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, scanner->wake_fd, &wake) != 0) {
        log_event(LOG_ERROR, "discovery cannot wait for events", NULL);
        _exit(1);
    }
    scanner->epoll_fd = epoll_fd;
    for (;;) {
        uint64_t begin_ns = clock_monotonic_ns(), wait_ns = 3600 * NS_PER_SECOND;
        if (take_over_configuration(scanner)) {
            run_round(scanner);
            wait_ns = scanner->config->discovery.interval_ns;
        }
        await_round(scanner, begin_ns + wait_ns);
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
