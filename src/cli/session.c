/* session.c - see session.h. */
#include "cli/session.h"

#include "cli/find_process.h"
#include "roles/scanner/scan_process.h"

enum status session_scan(const struct oneshot_options *options, const struct session_helpers *helpers,
                         bool want_details, struct chunk_sink *chunks, char allocator[32],
                         struct snapshot **ret, struct error *err)
{
    int32_t pid = options->pid;
    enum status status = STATUS_OK;
    if (pid == 0)
        status = find_process(options->procfs, options->name, options->pattern, &pid, err);
    if (status != STATUS_OK)
        return status;
    struct scan_job job = {
        .procfs = options->procfs,
        .pid = pid,
        .timeout_ns = options->timeout_ns,
        .resolver = helpers->resolver,
        .request = {.consistency = options->consistency,
                    .snapshot_budget_ns = options->snapshot_max_pause_ns,
                    .read_swapped = options->read_swapped,
                    .want_residency = true,
                    .want_details = want_details,
                    .holder = helpers->holder,
                    .chunks = chunks},
    };
    return scan_process(&job, allocator, ret, err);
}
