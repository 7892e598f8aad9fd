/* smaps.h - which mappings of an address space have swapped pages, as /proc/PID/smaps tells
 * (proc_pid_smaps(5)). */
#ifndef TARGET_SMAPS_H
#define TARGET_SMAPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** A run of addresses [@start, @end). */
struct address_range {
    uint64_t start;
    uint64_t end;
};

/**
 * The mappings in the text of a smaps file whose line "Swap:" says more than 0, by rising address; the caller
 * frees *@ret. STATUS_BAD_DATA, with the line's number, where a line is not of its form. @text needs no NUL.
 */
enum status smaps_swapped(const char *text, size_t length, struct address_range **ret, size_t *count_ret,
                          struct error *err) must_check;

#endif
