/* inspections.c - see inspections.h. */
#include "roles/scanner/inspections.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "inspect/inspection.h"
#include "target/live.h"

/* Nobody waits for what is left once the reader is gone. */
static bool go_on(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
    (void)done_bytes, (void)total_bytes;
    return !pipe_sink_is_closed(context);
}

enum status inspections_answer(const struct scan_job *job, const struct inspection_question *question,
                               struct pipe_sink *pipe, struct error *err)
{
    scoped_target struct target *target = NULL;
    scoped_fd int root_fd = -1;
    char comm[64];
    scoped_free struct report *report = malloc(sizeof *report);
    if (!report)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a report");
    enum status status = scan_open(job, &target, err);
    if (status != STATUS_OK)
        return status;
    utf8_clean(comm, sizeof comm, target_live_stat(target)->comm);
    const struct inspection inspection = {.target = target,
                                          .comm = comm,
                                          .symbols = &job->resolver->source,
                                          .cache = job->request.cache,
                                          .read_swapped = job->request.read_swapped,
                                          .deadline_ns = clock_monotonic_ns() + job->timeout_ns,
                                          .progress = go_on,
                                          .progress_context = pipe};
    if (target_live_open_root(target, &root_fd, NULL) == STATUS_OK)
        job->resolver->target_root_fd = root_fd;
    job->resolver->deadline_ns = inspection.deadline_ns;
    report_begin(report, REPORT_JSON, pipe_sink_write, pipe);
    status = inspection_run(&inspection, question, report, err);
    job->resolver->target_root_fd = -1;
    job->resolver->deadline_ns = 0;
    return status == STATUS_OK ? report_end(report, err) : status;
}
