/* census.c - see census.h. */
#include "roles/scanner/census.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/give_back.h"
#include "base/log.h"
#include "base/utf8.h"
#include "roles/scanner/facts.h"
#include "roles/scanner/pid_files.h"
#include "roles/scanner/report.h"
#include "roles/scanner/watch.h"
#include "target/live.h"
#include "target/proc_file.h"

/* A command line changes without an exec too (setproctitle): new processes are looked at in each round, older
 * ones once a minute. */
#define RECHECK_NS (60 * NS_PER_SECOND)
/* A file of /proc that takes longer hangs. */
#define FACTS_LIMIT_NS (10 * NS_PER_SECOND)

static bool is_own(const struct scanner *scanner, int32_t pid, const struct proc_stat *stat)
{
    int32_t keeper = scanner->start.keeper_pid;
    return pid == keeper || (int32_t)stat->ppid == keeper || pid == getpid();
}

/* The lock is held. An exec is the end of one program and the begin of another. */
static void remove_process(struct scanner *scanner, struct tracked *process, bool has_ended)
{
    report_process_gone(scanner, process, has_ended);
    tracked_remove(&scanner->table, process);
    give_back_want();
}

/* The process as the table has it, made where it is new; NULL without memory. The lock is held. */
static struct tracked *take(struct scanner *scanner, const struct message_process_id *id, uint64_t now_ns)
{
    struct tracked *process = tracked_find(&scanner->table, id->pid);
    if (process && tracked_is_same(&process->id, id))
        return process;
    if (process)
        remove_process(scanner, process, process->id.start_time_ticks != id->start_time_ticks);
    process = tracked_add(&scanner->table, id);
    if (process)
        process->first_seen_ns = now_ns;
    return process;
}

static bool needs_check(const struct tracked *process, const struct proc_stat *stat, uint64_t now_ns)
{
    bool is_new = now_ns - process->first_seen_ns < RECHECK_NS;
    return process->checked_ns == 0 || is_new || now_ns - process->checked_ns >= RECHECK_NS ||
           strcmp(process->comm, stat->comm) != 0;
}

static void set_labels(struct tracked *process, const struct facts *facts)
{
    struct process_labels *labels = &process->labels;
    utf8_clean(labels->comm, sizeof labels->comm, facts->comm);
    utf8_clean(labels->exe, sizeof labels->exe, facts->exe);
    memcpy(labels->unit, facts->names.unit, sizeof labels->unit);
    memcpy(labels->container_id, facts->names.container_id, sizeof labels->container_id);
    memcpy(labels->pod_uid, facts->names.pod_uid, sizeof labels->pod_uid);
}

static void unmatch(struct tracked *process)
{
    process->is_matched = process->has_children_entry = process->is_aggregated = false;
    process->has_conflict = false;
    process->home = NULL;
}

/* What series of it said of their group would be wrong for it, or for all others in that group. */
static void set_conflict(const struct scanner *scanner, struct tracked *process, const char *group,
                         const struct entry *entry)
{
    const struct entry *other = groups_conflict(&scanner->groups, group, entry);
    bool is_news = other && !process->has_conflict;
    process->has_conflict = other != NULL;
    if (!is_news)
        return;
    char pid[16], line[16], other_line[16];
    snprintf(pid, sizeof pid, "%d", (int)process->id.pid);
    snprintf(line, sizeof line, "%u", entry->line);
    snprintf(other_line, sizeof other_line, "%u", other->line);
    log_event(LOG_ERROR,
              "process is not scanned: another entry gave its group other labels or another identify_by",
              "pid", pid, "comm", process->labels.comm, "group", group, "entry_at_line", line,
              "other_entry_at_line", other_line, NULL);
}

static void set_match(struct scanner *scanner, struct tracked *process, const struct match_result *match)
{
    const struct entry *entry = match->entry;
    process->is_matched = true;
    process->is_inherited = false;
    process->has_children_entry = entry->children;
    process->is_aggregated = entry->identify_by == IDENTIFY_NONE;
    process->min_uptime_ns = entry->min_uptime_ns;
    process->scan_config = entry->scan;
    snprintf(process->group_name, sizeof process->group_name, "%s", match->group);
    set_conflict(scanner, process, match->group, entry);
    process->home = process->has_conflict
                        ? NULL
                        : groups_take(&scanner->groups, match->group, entry, entry->scan.interval_ns);
}

/* Without a configuration each process that has memory may be scanned, in a group of its comm; it gets it
 * when it is selected. */
static void set_default_match(struct scanner *scanner, struct tracked *process)
{
    process->is_matched = process->resident_bytes > 0;
    process->scan_config = scanner->config->scan;
    snprintf(process->group_name, sizeof process->group_name, "%s",
             process->labels.comm[0] ? process->labels.comm : "?");
    if (!process->group)
        process->home = NULL;
}

/* What the entries say of it. Facts are read without the lock: that may take long. */
static void check(struct scanner *scanner, struct tracked *process, const struct proc_stat *stat,
                  const struct pid_files *pid_files, uint64_t now_ns)
{
    scoped_facts struct facts facts = {0};
    struct match_result match;
    struct message_process_id id = process->id;
    id.in_discovery = 1;
    struct watched *watched = watch_begin(scanner, &id, clock_monotonic_ns() + FACTS_LIMIT_NS, NULL);
    enum status status =
        facts_read(scanner->start.procfs, process->id.pid, stat, &scanner->users, &facts, NULL);
    watch_end(scanner, watched);
    if (status != STATUS_OK)
        return;
    const struct pid_file_view view = {pid_files, scanner->start.procfs, process->id.pid,
                                       (int32_t)stat->live_tid};
    facts.match.pid_file_of = pid_files_find;
    facts.match.inner_pid_file_of = pid_files_find_inner;
    facts.match.pid_file_context = &view;
    bool is_default = scanner->config->is_default;
    bool is_taken = !is_default && config_match(scanner->config, &facts.match, &match, NULL);
    pthread_mutex_lock(&scanner->lock);
    process->checked_ns = now_ns;
    set_labels(process, &facts);
    if (is_default)
        set_default_match(scanner, process);
    else if (is_taken)
        set_match(scanner, process, &match);
    else if (!process->is_inherited)
        unmatch(process);
    pthread_mutex_unlock(&scanner->lock);
}

/* Whom a lack of descriptors or memory hides has not ended. */
static void keep(struct scanner *scanner, int32_t pid)
{
    pthread_mutex_lock(&scanner->lock);
    struct tracked *process = tracked_find(&scanner->table, pid);
    if (process)
        process->is_seen = true;
    pthread_mutex_unlock(&scanner->lock);
}

static void look_at(struct scanner *scanner, int32_t pid, const struct pid_files *pid_files, uint64_t now_ns)
{
    struct proc_stat stat;
    enum status status = proc_stat_read(scanner->start.procfs, pid, &stat, NULL);
    if (status != STATUS_OK && status != STATUS_NO_PROCESS)
        keep(scanner, pid);
    if (status != STATUS_OK || proc_stat_has_ended(&stat) || is_own(scanner, pid, &stat))
        return;
    struct message_process_id id = {.pid = pid,
                                    .start_time_ticks = stat.start_time_ticks,
                                    .address_space = proc_stat_address_space(&stat)};
    pthread_mutex_lock(&scanner->lock);
    const struct message_quarantine *quarantine = quarantines_find(&scanner->quarantines, &id, now_ns);
    bool is_unreadable = quarantine && quarantine->process.in_discovery;
    struct tracked *process = is_unreadable ? NULL : take(scanner, &id, now_ns);
    bool is_due = process && needs_check(process, &stat, now_ns);
    if (process) {
        process->is_seen = true;
        process->ppid = (int32_t)stat.ppid;
        process->live_tid = (int32_t)stat.live_tid;
        process->resident_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
        snprintf(process->comm, sizeof process->comm, "%s", stat.comm);
    }
    pthread_mutex_unlock(&scanner->lock);
    if (is_due)
        check(scanner, process, &stat, pid_files, now_ns);
}

static void remove_unseen(struct scanner *scanner)
{
    pthread_mutex_lock(&scanner->lock);
    for (size_t i = scanner->table.count; i-- > 0;)
        if (!scanner->table.items[i]->is_seen)
            remove_process(scanner, scanner->table.items[i], true);
    pthread_mutex_unlock(&scanner->lock);
}

void census_take(struct scanner *scanner)
{
    scoped_pid_files struct pid_files pid_files = {0};
    uint64_t now_ns = clock_monotonic_ns();
    users_refresh(&scanner->users);
    pid_files_read(scanner->config, &pid_files);
    for (size_t i = 0; i < scanner->table.count; i++)
        scanner->table.items[i]->is_seen = false;
    scoped_directory DIR *directory = opendir(scanner->start.procfs);
    if (!directory) {
        struct error err;
        error_errno(&err, errno, "%s", scanner->start.procfs);
        log_error(LOG_ERROR, "processes cannot be listed", &err);
        return;
    }
    pid_t pid;
    while ((pid = proc_next_pid(directory)) != 0)
        look_at(scanner, pid, &pid_files, now_ns);
    remove_unseen(scanner);
}
