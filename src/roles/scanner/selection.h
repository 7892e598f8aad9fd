/* selection.h - which of the processes that entries take are scanned. */
#ifndef ROLES_SCANNER_SELECTION_H
#define ROLES_SCANNER_SELECTION_H

#include "roles/scanner/state.h"

/**
 * Select after a census: children of entries with children: true, min_uptime, limits.max_processes,
 * processes that share their parent's memory. Tells the front who is new and who is selected no more, and
 * counts in the round who was skipped. The lock is held.
 */
void selection_update(struct scanner *scanner);

#endif
