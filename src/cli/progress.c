/* progress.c - see progress.h. */
#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
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

static const char *volatile clock_what;
static volatile sig_atomic_t clock_seconds;

/* Only what signal-safety(7) allows. */
static void tick(int number)
{
    char line[64], digits[12] = "", *digit = digits + sizeof digits - 1;
    unsigned seconds = (unsigned)++clock_seconds;
    (void)number;
    do
        *--digit = (char)('0' + seconds % 10);
    while ((seconds /= 10) != 0);
    const char *end = stpcpy(stpcpy(stpcpy(stpcpy(stpcpy(line, "\r\033[K"), clock_what), ", "), digit), " s");
    (void)!write(STDERR_FILENO, line, (size_t)(end - line));
}

void progress_clock_start(const char *what)
{
    if (!isatty(STDERR_FILENO) || strlen(what) > 20)
        return;
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    struct itimerval each = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
    clock_what = what;
    clock_seconds = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &each, NULL);
}

void progress_clock_stop(void)
{
    const struct itimerval none = {0};
    if (!clock_what)
        return;
    setitimer(ITIMER_REAL, &none, NULL);
    signal(SIGALRM, SIG_IGN);
    if (clock_seconds > 0)
        fputs("\r\033[K", stderr);
    clock_what = NULL;
}
