/* progress.c - see progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "encode/report.h"

#define FIRST_NS NS_PER_SECOND
#define AGAIN_NS (NS_PER_SECOND / 5)

bool progress_show(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
    struct progress *progress = context;
    uint64_t now_ns = clock_monotonic_ns();
    if (progress->begun_ns == 0)
        progress->begun_ns = now_ns;
    if (now_ns - progress->begun_ns < FIRST_NS || now_ns - progress->shown_ns < AGAIN_NS ||
        !isatty(STDERR_FILENO))
        return true;
    char done[24], total[24];
    report_human_bytes(done_bytes, done);
    report_human_bytes(total_bytes, total);
    if (total_bytes)
        fprintf(stderr, "\r\033[K%s of %s, %.0f %%", done, total,
                100.0 * (double)done_bytes / (double)total_bytes);
    else
        fprintf(stderr, "\r\033[Kworking, %.0f s", (double)(now_ns - progress->begun_ns) / 1e9);
    fflush(stderr);
    progress->shown_ns = now_ns;
    progress->is_shown = true;
    return true;
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
