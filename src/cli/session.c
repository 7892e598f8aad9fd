/* session.c - see session.h. */
#include "cli/session.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "allocator/allocator.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/find_process.h"
#include "target/live.h"

#define TIMEOUT_BASE_NS (10 * NS_PER_SECOND)

/* The time a scan may take: as given, else 10 s and 1 s a GiB of the process' memory. */
static uint64_t timeout_of(const struct oneshot_options *options, const struct target *target)
{
    if (options->timeout_ns)
        return options->timeout_ns;
    uint64_t resident = target_live_stat(target)->rss_pages * target->page_bytes;
    return TIMEOUT_BASE_NS + NS_PER_SECOND * (resident >> 30);
}

static void fill_exe(const char *procfs, pid_t pid, char *exe, size_t size)
{
    char path[320], link[4096];
    snprintf(path, sizeof path, "%s/%d/exe", procfs, (int)pid);
    ssize_t length = readlink(path, link, sizeof link - 1);
    link[length > 0 ? length : 0] = '\0';
    utf8_clean(exe, size, link);
}

/* Seconds since 1970 at which the process began: boot time and the ticks of proc_pid_stat(5). */
static double start_time(uint64_t ticks)
{
    double now = (double)clock_realtime_ns() / 1e9, since_boot;
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    since_boot = (double)boot.tv_sec + (double)boot.tv_nsec / 1e9;
    return now - since_boot + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static void fill_identity(const struct oneshot_options *options, const struct target *target,
                          struct snapshot *snapshot)
{
    const struct proc_stat *stat = target_live_stat(target);
    struct proc_stat now;
    snapshot->pid = target->pid;
    snapshot->start_time_ticks = stat->start_time_ticks;
    snapshot->start_time_seconds = start_time(stat->start_time_ticks);
    snapshot->resident_bytes = stat->rss_pages * target->page_bytes;
    if (proc_stat_read(options->procfs, target->pid, &now, NULL) == STATUS_OK)
        snapshot->resident_bytes = now.rss_pages * target->page_bytes;
    utf8_clean(snapshot->labels.comm, sizeof snapshot->labels.comm, stat->comm);
    fill_exe(options->procfs, target->pid, snapshot->labels.exe, sizeof snapshot->labels.exe);
}

static enum status scan(const struct oneshot_options *options, const struct session_helpers *helpers,
                        struct target *target, bool want_details, struct chunk_sink *chunks,
                        char allocator[32], struct snapshot **ret, struct error *err)
{
    struct scan_request request = {
        .consistency = options->consistency,
        .deadline_ns = clock_monotonic_ns() + timeout_of(options, target),
        .snapshot_budget_ns = options->snapshot_max_pause_ns,
        .read_swapped = options->read_swapped,
        .want_residency = true,
        .want_details = want_details,
        .holder = helpers->holder,
        .chunks = chunks,
        .symbols = helpers->symbols,
    };
    struct snapshot *snapshot = NULL;
    enum status status = allocator_scan(target, &request, allocator, &snapshot, err);
    if (status != STATUS_OK)
        return status;
    /* what was read must be of the process that was named: exec keeps the pid */
    status = target_still_same(target, err);
    if (status != STATUS_OK) {
        snapshot_unref(snapshot);
        return status;
    }
    fill_identity(options, target, snapshot);
    *ret = snapshot;
    return STATUS_OK;
}

enum status session_scan(const struct oneshot_options *options, const struct session_helpers *helpers,
                         bool want_details, struct chunk_sink *chunks, char allocator[32],
                         struct snapshot **ret, struct error *err)
{
    scoped_target struct target *target = NULL;
    int32_t pid = options->pid;
    enum status status = STATUS_OK;
    if (pid == 0)
        status = find_process(options->procfs, options->name, options->pattern, &pid, err);
    if (status == STATUS_OK)
        status = target_live_open(options->procfs, pid, &target, err);
    if (status == STATUS_OK)
        status = scan(options, helpers, target, want_details, chunks, allocator, ret, err);
    return status;
}
