/* attempt.c - see attempt.h. */
#include "roles/scanner/attempt.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"
#include "base/utf8.h"
#include "roles/scanner/report.h"
#include "roles/scanner/schedule.h"

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

/* What the snapshot of a failed attempt says: who it is, and when it was tried. */
static struct snapshot *failed_snapshot(const struct tracked *process, const struct attempt *attempt)
{
    struct snapshot *snapshot = tracked_blank_snapshot(process);
    if (!snapshot)
        return NULL;
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

/* A line where a process' state is another one than before; one that changes all the time gets fewer, and so
 * do all together where they come and go, or exec, all the time. */
static void log_change(struct scanner *scanner, struct tracked *process, const struct message_process *before)
{
    const struct message_process *now = &process->result;
    struct log_held_back held_back;
    char pid[16];
    if (now->state == before->state && now->failure == before->failure)
        return;
    if (!log_limit_take_within(&process->log_limit, &scanner->changes_limit, &held_back))
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

void attempt_count(struct group *group, const struct attempt *attempt)
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

void attempt_apply(struct scanner *scanner, struct tracked *process, struct attempt *attempt)
{
    struct message_process before = process->result;
    bool was_tried = process->is_tried;
    attempt_count(process->group, attempt);
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
    log_change(scanner, process, &before);
    report_process(scanner, process);
    report_group(scanner, process->group);
    if (!was_tried)
        report_round(scanner); /* it may have been the last that readiness waited for */
}
