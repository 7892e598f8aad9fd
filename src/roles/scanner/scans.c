/* scans.c - see scans.h. */
#include "roles/scanner/scans.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "roles/scanner/attempt.h"
#include "roles/scanner/schedule.h"
#include "roles/scanner/tools.h"
#include "roles/scanner/watch.h"

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

/* Discovery knows already that the process has ended, or is another program. */
static void count_lost(struct scanner *scanner, const struct attempt *attempt)
{
    struct group *group = groups_find(&scanner->groups, attempt->group);
    if (group)
        attempt_count(group, attempt);
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
            attempt_count(process->group, attempt);
            process->due_ns = attempt->end_ns + NS_PER_SECOND;
        } else if (process->group) {
            attempt_apply(scanner, process, attempt);
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
        attempt_count(process->group, &attempt);
        process->is_tried = true;
    } else {
        attempt_apply(scanner, process, &attempt);
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
