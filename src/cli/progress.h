/* progress.h - a line on standard error that tells how far long work is; only on a terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/** Zero-initialise. */
struct progress {
    uint64_t begun_ns, shown_ns;
    bool is_shown;
};

/** The progress of struct inspection: shown after a second, then five times a second. Always true. */
bool progress_show(void *context, uint64_t done_bytes, uint64_t total_bytes);

/**
 * For work that does not say how far it is: after a second the line "@what, 2 s" each second, until stopped.
 * Only one at a time. Does nothing where standard error is no terminal.
 */
void progress_clock_start(const char *what);
void progress_clock_stop(void);

/** Wipe the line away. */
void progress_end(struct progress *progress);

#endif
