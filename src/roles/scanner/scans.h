/* scans.h - the threads that scan what is due. */
#ifndef ROLES_SCANNER_SCANS_H
#define ROLES_SCANNER_SCANS_H

#include "roles/scanner/state.h"

/** How much longer than its timeout a scan may be under way before it hangs. */
#define SCANS_GRACE_NS (UINT64_C(5000000000))

/** Start thread number @index (below SCANNER_WORKERS_MAX), which works while limits.concurrency is above it.
 */
enum status scans_start(struct scanner *scanner, unsigned index, struct error *err) must_check;

#endif
