/* scans.c - see scans.h. */
#include "roles/scanner/scans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "roles/scanner/report.h"
#include "roles/scanner/scan_process.h"
#include "roles/scanner/schedule.h"
#include "roles/scanner/tools.h"
#include "roles/scanner/watch.h"

/* What a status means for the counter and for malloc_last_scan_failure. */
static const struct {
    enum scan_result result;
    enum failure failure;
    enum process_state state;
} OUTCOMES[STATUS_COUNT] = {
    [STATUS_OK] = {SCAN_RESULT_OK, FAILURE_NONE, PROCESS_STATE_OK},
    [STATUS_SYSTEM] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_NO_MEMORY] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_FAULT] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_BAD_DATA] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_NOT_FOUND] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_GONE] = {SCAN_RESULT_GONE, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_NO_PROCESS] = {SCAN_RESULT_GONE, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_PERMISSION] = {SCAN_RESULT_PERMISSION, FAILURE_PERMISSION, PROCESS_STATE_FAILED},
    [STATUS_UNSUPPORTED] = {SCAN_RESULT_UNSUPPORTED, FAILURE_NONE, PROCESS_STATE_UNSUPPORTED},
    [STATUS_TIMEOUT] = {SCAN_RESULT_TIMEOUT, FAILURE_TIMEOUT, PROCESS_STATE_FAILED},
    [STATUS_INCONSISTENT] = {SCAN_RESULT_INCONSISTENT, FAILURE_INCONSISTENT, PROCESS_STATE_FAILED},
    [STATUS_TRACED] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_TOO_LARGE] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_BUSY] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_USAGE] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_NOT_SELECTED] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
    [STATUS_STOPPED] = {SCAN_RESULT_ERROR, FAILURE_ERROR, PROCESS_STATE_FAILED},
};

/* One attempt: what was asked for and how it ended. */
struct attempt {
    struct scan_job job;
    struct message_process_id id;
    char group[256];
    uint64_t timeout_ns;
    uint64_t begin_ns, end_ns;
    uint64_t cpu_ns; /* of all its threads */
    struct scan_timing stops;
    enum status status;
    struct snapshot *snapshot;
    struct error err;
    char allocator[32];
};

static struct scan_job job_of(const struct scanner *scanner, const struct tracked *process)
{
    return (struct scan_job){
        .procfs = scanner->start.procfs,
        .pid = process->id.pid,
        .start_time_ticks = process->id.start_time_ticks,
        .address_space = process->id.address_space,
        .timeout_ns = schedule_timeout_ns(process),
        .threads = scanner->config->limits.scan_threads,
        .request = {.consistency = (enum consistency)process->scan_config.consistency,
                    .snapshot_budget_ns = process->scan_config.snapshot_max_pause_ns,
                    .slice_budget_ns = process->scan_config.max_pause_ns,
                    .read_swapped = process->scan_config.read_swapped,
                    .want_residency = scanner->config->metrics.residency},
    };
}

/* What the snapshot of a failed attempt says: who it is, and when it was tried. */
static struct snapshot *failed_snapshot(const struct tracked *process, const struct attempt *attempt)
{
    struct snapshot *snapshot = snapshot_new(0, 0, 0, 0);
    if (!snapshot)
        return NULL;
    snapshot->pid = process->id.pid;
    snapshot->start_time_ticks = process->id.start_time_ticks;
    snapshot->start_time_seconds = scan_start_time_seconds(process->id.start_time_ticks);
    snapshot->resident_bytes = process->resident_bytes;
    snapshot->timing = attempt->stops;
    snapshot->timing.end_realtime_ns = process->last_success_realtime_ns;
    snapshot->timing.duration_ns = attempt->end_ns - attempt->begin_ns;
    if (process->snapshot) {
        memcpy(snapshot->labels.allocator, process->snapshot->labels.allocator,
               sizeof snapshot->labels.allocator);
        memcpy(snapshot->labels.libc_version, process->snapshot->labels.libc_version,
               sizeof snapshot->labels.libc_version);
        snapshot->numbers.found_by = process->snapshot->numbers.found_by;
    }
    if (attempt->status == STATUS_UNSUPPORTED)
        utf8_clean(snapshot->labels.allocator, sizeof snapshot->labels.allocator, attempt->allocator);
    return snapshot;
}

static void fill_labels(const struct tracked *process, struct snapshot *snapshot)
{
    struct process_labels labels = process->labels;
    memcpy(labels.allocator, snapshot->labels.allocator, sizeof labels.allocator);
    memcpy(labels.libc_version, snapshot->labels.libc_version, sizeof labels.libc_version);
    snapshot->labels = labels;
}

/* A line where a process' state is another one than before; one that changes all the time gets fewer. */
static void log_change(struct tracked *process, const struct message_process *before)
{
    const struct message_process *now = &process->result;
    struct log_held_back held_back;
    char pid[16];
    if (now->state == before->state && now->failure == before->failure)
        return;
    if (!log_limit_take(&process->log_limit, &held_back))
        return;
    snprintf(pid, sizeof pid, "%d", (int)process->id.pid);
    if (now->state == PROCESS_STATE_OK)
        log_event(LOG_INFO, "process is scanned", "pid", pid, "comm", process->labels.comm, "group",
                  process->group->message.name, held_back.key, held_back.value, NULL);
    else
        log_event(now->state == PROCESS_STATE_UNSUPPORTED ? LOG_INFO : LOG_WARN, "process cannot be scanned",
                  "pid", pid, "comm", process->labels.comm, "group", process->group->message.name, "reason",
                  now->state == PROCESS_STATE_UNSUPPORTED ? "unsupported"
                                                          : failure_name((enum failure)now->failure),
                  "error", now->message, held_back.key, held_back.value, NULL);
}

static void count(struct group *group, const struct attempt *attempt)
{
    struct group_counters added = {0};
    added.scans[OUTCOMES[attempt->status].result] = 1;
    if (attempt->snapshot) {
        added.resyncs = attempt->snapshot->numbers.completeness.resync_count;
        added.read_bytes = attempt->snapshot->numbers.read_bytes;
    }
    added.pause_ns = attempt->stops.pause_ns;
    group_count(group, &added);
}

/* The attempt becomes the latest result of the process; the lock is held. */
static void apply(struct scanner *scanner, struct tracked *process, struct attempt *attempt)
{
    struct message_process before = process->result;
    bool was_tried = process->is_tried;
    count(process->group, attempt);
    process->is_tried = true;
    process->last_cost_ns = max_u64(attempt->end_ns - attempt->begin_ns, attempt->cpu_ns);
    schedule_next(scanner, process, attempt->begin_ns, attempt->end_ns, attempt->status);
    process->result.state = OUTCOMES[attempt->status].state;
    process->result.failure = OUTCOMES[attempt->status].failure;
    process->result.failure_status = attempt->status;
    snprintf(process->result.message, sizeof process->result.message, "%s",
             attempt->status == STATUS_OK ? "" : attempt->err.message);
    struct snapshot *snapshot = attempt->snapshot ? attempt->snapshot : failed_snapshot(process, attempt);
    if (!snapshot)
        return;
    attempt->snapshot = NULL;
    fill_labels(process, snapshot);
    if (attempt->status == STATUS_OK)
        process->last_success_realtime_ns = snapshot->timing.end_realtime_ns;
    snapshot_unref(process->snapshot);
    process->snapshot = snapshot;
    if (!was_tried)
        before.state = PROCESS_STATE_WAITING;
    log_change(process, &before);
    report_process(scanner, process);
    report_group(scanner, process->group);
    if (!was_tried)
        report_round(scanner); /* it may have been the last that readiness waited for */
}

/* Discovery knows already that the process has ended, or is another program. */
static void count_lost(struct scanner *scanner, const struct attempt *attempt)
{
    struct group *group = groups_find(&scanner->groups, attempt->group);
    if (group)
        count(group, attempt);
}

static void finish(struct scanner *scanner, struct attempt *attempt)
{
    pthread_mutex_lock(&scanner->lock);
    scanner->scan_count--;
    struct tracked *process = tracked_find_same(&scanner->table, &attempt->id);
    bool is_gone = attempt->status == STATUS_GONE || attempt->status == STATUS_NO_PROCESS;
    if (process) {
        process->is_scanning = false;
        if (is_gone && process->group) {
            count(process->group, attempt);
            process->due_ns = attempt->end_ns + NS_PER_SECOND;
        } else if (process->group) {
            apply(scanner, process, attempt);
        }
    } else {
        count_lost(scanner, attempt);
    }
    if (scanner->quarantines.count)
        pthread_cond_broadcast(&scanner->is_due); /* a suspect may have waited to be alone */
    pthread_mutex_unlock(&scanner->lock);
    snapshot_unref(attempt->snapshot);
    if (is_gone)
        scanner_wake(scanner); /* it ended or became another program: look again */
}

static void scan(struct attempt *attempt)
{
    const struct scan_threads *threads = attempt->job.request.threads;
    attempt->stops = (struct scan_timing){0};
    attempt->job.request.stops = &attempt->stops;
    attempt->begin_ns = clock_monotonic_ns();
    uint64_t before_ns = clock_thread_cpu_ns() + scan_threads_cpu_ns(threads);
    attempt->status = scan_process(&attempt->job, attempt->allocator, &attempt->snapshot, &attempt->err);
    attempt->cpu_ns = clock_thread_cpu_ns() + scan_threads_cpu_ns(threads) - before_ns;
    attempt->end_ns = clock_monotonic_ns();
}

static void run(struct scanner *scanner, struct tools *tools, struct attempt *attempt)
{
    struct error err = {0};
    if (scanner_tell_keeper(scanner, MESSAGE_SCAN_BEGIN, &attempt->id, &err) != STATUS_OK)
        _exit(1);
    tools_lend(tools, &attempt->job);
    struct watched *watched = watch_begin(
        scanner, &attempt->id, clock_monotonic_ns() + attempt->job.timeout_ns, attempt->job.request.threads);
    scan(attempt);
    watch_end(scanner, watched);
    if (scanner_tell_keeper(scanner, MESSAGE_SCAN_END, &attempt->id, &err) != STATUS_OK)
        _exit(1);
}

void scans_once(struct scanner *scanner, struct tracked *process, const struct scans_means *means)
{
    struct attempt attempt = {.id = process->id, .job = job_of(scanner, process)};
    attempt.job.resolver = means->resolver;
    attempt.job.request.cache = means->cache;
    attempt.job.request.holder = means->holder;
    attempt.job.request.threads = means->threads;
    scan(&attempt);
    if (attempt.status == STATUS_GONE || attempt.status == STATUS_NO_PROCESS) {
        count(process->group, &attempt);
        process->is_tried = true;
    } else {
        apply(scanner, process, &attempt);
    }
    snapshot_unref(attempt.snapshot);
}

/* Wait until a process is due and take it. */
static void await_due(struct scanner *scanner, struct attempt *attempt)
{
    pthread_mutex_lock(&scanner->lock);
    for (;;) {
        uint64_t next_ns = UINT64_MAX;
        struct tracked *process = NULL;
        if (scanner->config && scanner->scan_count < scanner->config->limits.concurrency)
            process = schedule_pick(scanner, clock_monotonic_ns(), &next_ns);
        if (process) {
            process->is_scanning = true;
            scanner->scan_count++;
            attempt->id = process->id;
            memcpy(attempt->group, process->group->message.name, sizeof attempt->group);
            attempt->job = job_of(scanner, process);
            break;
        }
        struct timespec until = {.tv_sec = (time_t)(next_ns / NS_PER_SECOND),
                                 .tv_nsec = (long)(next_ns % NS_PER_SECOND)};
        if (next_ns == UINT64_MAX)
            pthread_cond_wait(&scanner->is_due, &scanner->lock);
        else
            pthread_cond_timedwait(&scanner->is_due, &scanner->lock, &until);
    }
    pthread_mutex_unlock(&scanner->lock);
}

static void *work(void *context)
{
    struct scanner *scanner = context;
    struct tools *tools = tools_take(scanner);
    while (tools) {
        struct attempt attempt = {0};
        await_due(scanner, &attempt);
        run(scanner, tools, &attempt);
        finish(scanner, &attempt);
    }
    _exit(1); /* no memory: the keeper starts another scanner */
}

enum status scans_start(struct scanner *scanner, struct error *err)
{
    pthread_t thread;
    int code = pthread_create(&thread, NULL, work, scanner);
    if (code != 0)
        return error_errno(err, code, "start a scanning thread");
    pthread_detach(thread);
    return STATUS_OK;
}
