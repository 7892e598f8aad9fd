/* session.c - see session.h. */
#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cli/find_process.h"
#include "cli/progress.h"
#include "roles/scanner/scan_process.h"
#include "target/core.h"
#include "target/live.h"

static enum status open_core(struct session *session, struct error *err)
{
    const struct oneshot_options *options = session->options;
    enum status status = target_core_open(options->core, options->exe, &session->target, err);
    if (status != STATUS_OK)
        return status;
    uint64_t missing = target_core_info(session->target)->missing_bytes;
    if (missing)
        fprintf(stderr,
                "malloc_exporter: %s was cut off: %" PRIu64 " bytes of memory are missing in it and count as "
                "unread (see `ulimit -c` and the room on the disk)\n",
                options->core, missing);
    return STATUS_OK;
}

enum status session_open(struct session *session, const struct oneshot_options *options,
                         const struct session_helpers *helpers, struct error *err)
{
    *session = (struct session){.options = options, .helpers = helpers};
    if (options->core)
        return open_core(session, err);
    int32_t pid = options->pid;
    enum status status = target_live_check_procfs(options->procfs, err);
    if (status == STATUS_OK && pid == 0)
        status = find_process(options->procfs, options->name, options->pattern, &pid, err);
    if (status == STATUS_OK)
        status = target_live_open(options->procfs, pid, &session->target, err);
    return status;
}

void session_close(struct session *session)
{
    target_close(session->target);
    session->target = NULL;
}

static void label_core(const struct target *target, struct snapshot *snapshot)
{
    const struct target_core_info *info = target_core_info(target);
    snapshot->pid = info->pid;
    utf8_clean(snapshot->labels.comm, sizeof snapshot->labels.comm, info->comm);
    utf8_clean(snapshot->labels.exe, sizeof snapshot->labels.exe, info->exe);
}

static void end_threads(struct scan_threads **threads)
{
    scan_threads_free(*threads);
}

enum status session_scan_opened(struct session *session, bool want_details, struct chunk_sink *chunks,
                                struct snapshot **ret, struct error *err)
{
    const struct oneshot_options *options = session->options;
    char allocator[32] = ""; /* the error names it too */
    struct scan_job job = {
        .procfs = options->procfs,
        .pid = session->target->pid,
        .timeout_ns = options->timeout_ns,
        .resolver = session->helpers->resolver,
        .request = {.consistency = options->consistency,
                    .slice_budget_ns = options->max_pause_ns,
                    .snapshot_budget_ns = options->snapshot_max_pause_ns,
                    .read_swapped = options->read_swapped,
                    .want_residency = true,
                    .want_details = want_details,
                    .holder = session->helpers->holder,
                    .chunks = chunks},
    };
    scoped(end_threads) struct scan_threads *threads = NULL;
    enum status status = STATUS_OK;
    if (options->scan_threads > 1)
        status = scan_threads_new((unsigned)options->scan_threads, &threads, err);
    if (status != STATUS_OK)
        return status;
    job.request.threads = threads;
    /* under a stop nothing is written; where chunks go to a terminal they are the progress */
    bool has_clock = !chunks && options->consistency == CONSISTENCY_LIVE;
    if (has_clock)
        progress_clock_start("reading the heap");
    status = options->core ? scan_frozen(&job, session->target, allocator, ret, err)
                           : scan_live(&job, session->target, allocator, ret, err);
    if (has_clock)
        progress_clock_stop();
    if (!options->core)
        return status;
    if (status == STATUS_OK)
        label_core(session->target, *ret);
    if (status == STATUS_UNSUPPORTED && target_core_info(session->target)->missing_bytes)
        return error_set(err, STATUS_BAD_DATA,
                         "%s was cut off before the memory of its libc: no heap is found", options->core);
    return status;
}

enum status session_scan(const struct oneshot_options *options, const struct session_helpers *helpers,
                         bool want_details, struct chunk_sink *chunks, struct snapshot **ret,
                         struct error *err)
{
    scoped_session struct session session = {0};
    enum status status = session_open(&session, options, helpers, err);
    if (status != STATUS_OK)
        return status;
    return session_scan_opened(&session, want_details, chunks, ret, err);
}
