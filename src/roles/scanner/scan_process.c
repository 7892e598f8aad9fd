/* scan_process.c - see scan_process.h. */
#include "roles/scanner/scan_process.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "target/live.h"

/* Reading two clocks takes time, and clocks are slewed. */
#define BOOT_SLACK_SECONDS 0.5
#define TIMEOUT_BASE_NS (10 * NS_PER_SECOND)

uint64_t scan_timeout_ns(uint64_t resident_bytes)
{
    return TIMEOUT_BASE_NS + NS_PER_SECOND * (resident_bytes >> 30);
}

/* btime of proc_stat(5), in whole seconds: what others compute start times from. 0: not known. */
static double read_boot_seconds(void)
{
    char line[256];
    double seconds = 0;
    scoped_file FILE *file = fopen("/proc/stat", "re");
    while (file && seconds == 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "btime %lf", &seconds) != 1)
            seconds = 0;
    return seconds;
}

/* The same number in each scan, so that a start time never moves, but where the clock was set. */
static double boot_seconds(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static double known;
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    double exact = (double)clock_realtime_ns() / 1e9 - (double)boot.tv_sec - (double)boot.tv_nsec / 1e9;
    pthread_mutex_lock(&lock);
    if (exact < known - BOOT_SLACK_SECONDS || exact > known + 1 + BOOT_SLACK_SECONDS)
        known = read_boot_seconds();
    double seconds = known;
    pthread_mutex_unlock(&lock);
    return seconds > 0 ? seconds : (double)(uint64_t)exact;
}

double scan_start_time_seconds(uint64_t ticks)
{
    return boot_seconds() + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static void fill_exe(const char *procfs, pid_t pid, char *exe, size_t size)
{
    char path[320], link[4096];
    snprintf(path, sizeof path, "%s/%d/exe", procfs, (int)pid);
    ssize_t length = readlink(path, link, sizeof link - 1);
    link[length > 0 ? length : 0] = '\0';
    utf8_clean(exe, size, link);
}

static void fill_identity(const char *procfs, const struct target *target, struct snapshot *snapshot)
{
    const struct proc_stat *stat = target_live_stat(target);
    struct proc_stat now;
    snapshot->pid = target->pid;
    snapshot->start_time_ticks = stat->start_time_ticks;
    snapshot->start_time_seconds = scan_start_time_seconds(stat->start_time_ticks);
    snapshot->resident_bytes = stat->rss_pages * target->page_bytes;
    if (proc_stat_read(procfs, target->pid, &now, NULL) == STATUS_OK)
        snapshot->resident_bytes = now.rss_pages * target->page_bytes;
    utf8_clean(snapshot->labels.comm, sizeof snapshot->labels.comm, stat->comm);
    fill_exe(procfs, target->pid, snapshot->labels.exe, sizeof snapshot->labels.exe);
}

static enum status check_is_meant(const struct scan_job *job, const struct target *target, struct error *err)
{
    const struct proc_stat *stat = target_live_stat(target);
    if (job->start_time_ticks == 0 || (stat->start_time_ticks == job->start_time_ticks &&
                                       proc_stat_address_space(stat) == job->address_space))
        return STATUS_OK;
    return error_set(err, STATUS_GONE, "process %d is another program by now", (int)job->pid);
}

/* What a resolver needs for one scan: its end, and the target's root; without that only the host's debug
 * files serve. */
static void lend(struct resolver_client *resolver, const struct target *target, uint64_t deadline_ns,
                 int *root_fd)
{
    resolver->deadline_ns = deadline_ns;
    if (target_live_open_root(target, root_fd, NULL) != STATUS_OK)
        *root_fd = -1;
    resolver->target_root_fd = *root_fd;
}

enum status scan_live(const struct scan_job *job, struct target *target, char allocator[32],
                      struct snapshot **ret, struct error *err)
{
    scoped_fd int root_fd = -1;
    struct snapshot *snapshot = NULL;
    struct scan_request request = job->request;
    uint64_t resident_bytes = target_live_stat(target)->rss_pages * target->page_bytes;
    request.deadline_ns =
        clock_monotonic_ns() + (job->timeout_ns ? job->timeout_ns : scan_timeout_ns(resident_bytes));
    if (job->resolver) {
        lend(job->resolver, target, request.deadline_ns, &root_fd);
        request.symbols = &job->resolver->source;
    }
    enum status status = allocator_scan(target, &request, allocator, &snapshot, err);
    if (job->resolver) {
        job->resolver->target_root_fd = -1;
        job->resolver->deadline_ns = 0;
    }
    if (status == STATUS_OK)
        fill_identity(job->procfs, target, snapshot);
    /* what was read, labels too, must be of the process that was meant: exec keeps the pid */
    enum status identity = status == STATUS_STOPPED ? STATUS_OK : target_still_same(target, err);
    if (identity != STATUS_OK) {
        snapshot_unref(snapshot);
        return identity;
    }
    if (status == STATUS_OK)
        *ret = snapshot;
    return status;
}

enum status scan_frozen(const struct scan_job *job, struct target *target, char allocator[32],
                        struct snapshot **ret, struct error *err)
{
    struct scan_request request = job->request;
    if (job->resolver)
        request.symbols = &job->resolver->source;
    request.deadline_ns = job->timeout_ns ? clock_monotonic_ns() + job->timeout_ns : UINT64_MAX;
    return allocator_scan(target, &request, allocator, ret, err);
}

enum status scan_open(const struct scan_job *job, struct target **ret, struct error *err)
{
    scoped_target struct target *target = NULL;
    enum status status = target_live_open(job->procfs, job->pid, &target, err);
    if (status == STATUS_OK)
        status = check_is_meant(job, target, err);
    if (status == STATUS_OK)
        *ret = take_ptr(target);
    return status;
}

enum status scan_process(const struct scan_job *job, char allocator[32], struct snapshot **ret,
                         struct error *err)
{
    scoped_target struct target *target = NULL;
    enum status status = scan_open(job, &target, err);
    if (status != STATUS_OK)
        return status;
    return scan_live(job, target, allocator, ret, err);
}
