/* scans.h - the threads that scan what is due. */
#ifndef ROLES_SCANNER_SCANS_H
#define ROLES_SCANNER_SCANS_H

#include "link/resolver_client.h"
#include "roles/scanner/state.h"
#include "target/hold.h"

struct allocator_cache;
struct scan_threads;

/** Start another thread that scans; of all of them limits.concurrency work at a time, at most
 * SCANNER_WORKERS_MAX. */
enum status scans_start(struct scanner *scanner, struct error *err) must_check;

/** What a scan in the foreground uses; all may be NULL. */
struct scans_means {
    struct allocator_cache *cache;
    struct holder *holder;
    struct resolver_client *resolver;
    struct scan_threads *threads;
};

/** Scan @process now, in this thread and without telling the keeper; the result becomes its latest. */
void scans_once(struct scanner *scanner, struct tracked *process, const struct scans_means *means);

#endif
