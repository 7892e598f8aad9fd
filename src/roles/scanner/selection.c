/* selection.c - see selection.h. */
#include "roles/scanner/selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "roles/scanner/ends.h"
#include "roles/scanner/report.h"
#include "roles/scanner/schedule.h"
#include "roles/scanner/shared_memory.h"

/* Without a configuration: the largest ones. */
#define DEFAULT_PROCESSES_MAX 50
#define ANCESTORS_MAX 64

static bool is_younger(const struct tracked *process, uint64_t than_ns)
{
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    uint64_t now_ns = (uint64_t)boot.tv_sec * NS_PER_SECOND + (uint64_t)boot.tv_nsec;
    uint64_t tick_ns = NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);
    return than_ns && process->id.start_time_ticks * tick_ns + than_ns > now_ns;
}

/* A process that matches nothing joins its nearest ancestor whose entry takes children. */
static void inherit(struct scanner *scanner, struct tracked *process)
{
    const struct tracked *ancestor = process;
    for (unsigned i = 0; i < ANCESTORS_MAX && ancestor; i++) {
        ancestor = tracked_find(&scanner->table, ancestor->ppid);
        if (ancestor && ancestor->is_matched && !ancestor->is_inherited)
            break;
    }
    bool is_heir =
        ancestor && ancestor->is_matched && !ancestor->is_inherited && ancestor->has_children_entry;
    if (!is_heir && process->is_inherited) {
        process->is_matched = process->is_inherited = process->has_conflict = false;
        process->home = NULL;
    }
    if (!is_heir)
        return;
    process->is_matched = process->is_inherited = true;
    process->home = ancestor->home;
    process->has_conflict = ancestor->has_conflict;
    process->is_aggregated = ancestor->is_aggregated;
    process->min_uptime_ns = ancestor->min_uptime_ns;
    process->scan_config = ancestor->scan_config;
    memcpy(process->group_name, ancestor->group_name, sizeof process->group_name);
}

static bool has_outcome(const struct tracked *process, enum process_state state, enum failure failure)
{
    return process->is_tried && process->result.state == state && process->result.failure == failure;
}

static bool is_unsupported(const struct tracked *process)
{
    return process->is_final && has_outcome(process, PROCESS_STATE_UNSUPPORTED, FAILURE_NONE);
}

static bool is_refused(const struct tracked *process)
{
    return has_outcome(process, PROCESS_STATE_FAILED, FAILURE_PERMISSION);
}

/* Whom the limit keeps: who was scanned already, then the largest. */
static int by_claim(const void *a, const void *b)
{
    const struct tracked *left = *(struct tracked *const *)a, *right = *(struct tracked *const *)b;
    bool left_kept = has_outcome(left, PROCESS_STATE_OK, FAILURE_NONE);
    bool right_kept = has_outcome(right, PROCESS_STATE_OK, FAILURE_NONE);
    if (left_kept != right_kept)
        return left_kept ? -1 : 1;
    return (left->resident_bytes < right->resident_bytes) - (left->resident_bytes > right->resident_bytes);
}

static void apply_limit(struct scanner *scanner)
{
    const struct config *config = scanner->config;
    size_t limit = config->is_default ? DEFAULT_PROCESSES_MAX : config->limits.max_processes, count = 0;
    struct tracked **claims = scanner->table.list;
    for (size_t i = 0; i < scanner->table.count; i++) {
        struct tracked *process = scanner->table.items[i];
        /* who cannot be scanned takes nobody's place */
        if (process->is_matched && process->skip == SKIP_NOT && !process->has_ended &&
            !is_unsupported(process) && !is_refused(process))
            claims[count++] = process;
    }
    if (count > limit)
        qsort(claims, count, sizeof *claims, by_claim);
    for (size_t i = limit; i < count; i++)
        claims[i]->skip = SKIP_LIMIT;
}

static void select_one(struct scanner *scanner, struct tracked *process)
{
    struct group *before = process->group;
    if (!process->home)
        process->home =
            groups_take(&scanner->groups, process->group_name, NULL, process->scan_config.interval_ns);
    process->group = process->home;
    if (process->group && !before && !process->is_tried)
        process->due_ns = clock_monotonic_ns();
    if (process->group && process->pidfd < 0 && !process->has_ended)
        ends_watch(scanner, process);
    bool is_new = process->group && process->group != before;
    if (schedule_adapt(scanner, process, clock_monotonic_ns()) || is_new)
        report_process(scanner, process);
}

static void deselect(struct scanner *scanner, struct tracked *process)
{
    if (process->group)
        report_process_gone(scanner, process, false);
    process->group = NULL;
    if (scanner->config->is_default)
        process->home = NULL;
    if (process->pidfd >= 0)
        close(take_fd(&process->pidfd));
}

/* A process that scanners died of, or hung in, is left alone, and says so. */
static void apply_quarantine(struct scanner *scanner, struct tracked *process)
{
    const struct message_quarantine *quarantine =
        quarantines_find(&scanner->quarantines, &process->id, clock_monotonic_ns());
    if (!quarantine)
        return;
    scanner->round.skipped[SKIPPED_QUARANTINED]++;
    if (!process->group || has_outcome(process, PROCESS_STATE_FAILED, (enum failure)quarantine->failure))
        return;
    process->is_tried = true;
    process->result.state = PROCESS_STATE_FAILED;
    process->result.failure = quarantine->failure;
    process->result.failure_status = STATUS_SYSTEM;
    process->result.valid_until_ns = quarantine->until_ns + process->scan_config.interval_ns;
    snprintf(process->result.message, sizeof process->result.message, "%s",
             quarantine->failure == FAILURE_CRASHED
                 ? "the scanner died twice in a day in a scan of it: it is left alone until it execs, at "
                   "most an hour"
                 : "a scan of it hung in the kernel: it is left alone for a while");
    snapshot_unref(take_ptr(process->snapshot));
    report_process(scanner, process);
}

static void count_skipped(struct scanner *scanner, const struct tracked *process)
{
    uint64_t *skipped = scanner->round.skipped;
    skipped[SKIPPED_MIN_UPTIME] += process->skip == SKIP_YOUNG;
    skipped[SKIPPED_LIMIT] += process->skip == SKIP_LIMIT;
    skipped[SKIPPED_CONFLICT] += process->skip == SKIP_CONFLICT;
    skipped[SKIPPED_PERMISSION] += is_refused(process);
    skipped[SKIPPED_UNSUPPORTED] += is_unsupported(process);
}

static void judge(struct scanner *scanner, struct tracked *process)
{
    process->skip = SKIP_NOT;
    if (!scanner->config->is_default && (!process->is_matched || process->is_inherited))
        inherit(scanner, process);
    if (process->is_matched && is_younger(process, process->min_uptime_ns))
        process->skip = SKIP_YOUNG;
    if (process->is_matched && process->has_conflict)
        process->skip = SKIP_CONFLICT;
}

void selection_update(struct scanner *scanner)
{
    memset(scanner->round.skipped, 0, sizeof scanner->round.skipped);
    for (size_t i = 0; i < scanner->table.count; i++)
        judge(scanner, scanner->table.items[i]);
    shared_memory_skip(&scanner->table);
    apply_limit(scanner);
    for (size_t i = 0; i < scanner->table.count; i++) {
        struct tracked *process = scanner->table.items[i];
        bool is_wanted = process->is_matched && process->skip == SKIP_NOT;
        /* without a configuration nobody asked for these */
        if (scanner->config->is_default && (is_unsupported(process) || is_refused(process)))
            is_wanted = false;
        if (is_wanted)
            select_one(scanner, process);
        else
            deselect(scanner, process);
        if (process->is_matched)
            count_skipped(scanner, process);
        apply_quarantine(scanner, process);
    }
    scanner->round.skipped[SKIPPED_QUARANTINED] +=
        quarantines_unreadable(&scanner->quarantines, clock_monotonic_ns());
}
