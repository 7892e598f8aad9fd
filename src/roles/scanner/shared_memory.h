/* shared_memory.h - processes that have one memory (clone(2) with CLONE_VM, vfork(2)) are scanned once. */
#ifndef ROLES_SCANNER_SHARED_MEMORY_H
#define ROLES_SCANNER_SHARED_MEMORY_H

#include "roles/scanner/tracked.h"

/**
 * Of the processes that are matched and not skipped yet, skip all but the oldest of those that share one
 * memory. Where kcmp(2) may not compare two they count as different.
 */
void shared_memory_skip(struct tracked_table *table);

#endif
