/* watch.h - threads that may hang in a read of a process, and how the scanner ends where one does. */
#ifndef ROLES_SCANNER_WATCH_H
#define ROLES_SCANNER_WATCH_H

#include "roles/scanner/state.h"

struct scan_threads;

/**
 * The calling thread, with @threads if not NULL, begins to read @process and should be done by @limit_ns
 * (CLOCK_MONOTONIC). The slot, for the calls below, or NULL where all are taken: then it is not watched.
 */
struct watched *watch_begin(struct scanner *scanner, const struct message_process_id *process,
                            uint64_t limit_ns, const struct scan_threads *threads);

/** Another limit; UINT64_MAX: it waits for something else than the process. @watched may be NULL. */
void watch_set_limit(struct scanner *scanner, struct watched *watched, uint64_t limit_ns);

/** It is done. @watched may be NULL. */
void watch_end(struct scanner *scanner, struct watched *watched);

/**
 * Look at all of them. Where one has been over its limit for seconds, what it or a thread of its scan waited
 * for a processor not counted, it hangs: the keeper is told the process, and the scanner ends.
 */
void watch_check(struct scanner *scanner);

#endif
