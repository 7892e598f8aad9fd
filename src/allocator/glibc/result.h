/* result.h - turn a finished pass into a snapshot. */
#ifndef ALLOCATOR_GLIBC_RESULT_H
#define ALLOCATOR_GLIBC_RESULT_H

#include "allocator/glibc/pass.h"

/** A new snapshot with the numbers, arrays and allocator labels of @pass. NULL without memory. */
struct snapshot *result_build(const struct pass *pass, const struct glibc_locations *locations);

/** The snapshot of a process whose malloc was never used: every number known, and 0. NULL without memory. */
struct snapshot *result_cold(const struct glibc_location *location);

/** Whether no check found the books wrong. */
bool result_is_reconciled(const struct scan_numbers *numbers);

#endif
