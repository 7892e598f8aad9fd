/* find_process.h - the one process that a name or a pattern means. */
#ifndef CLI_FIND_PROCESS_H
#define CLI_FIND_PROCESS_H

#include <stdint.h>

#include "base/error.h"

/**
 * The pid of the one process whose comm is @name (if not NULL) or whose command line (argv joined by blanks)
 * matches @pattern (PCRE2). Kernel threads and this process itself are left out. STATUS_NO_PROCESS: none;
 * STATUS_USAGE: several, which are listed on standard error, or a pattern that does not compile.
 */
enum status find_process(const char *procfs, const char *name, const char *pattern, int32_t *ret,
                         struct error *err) must_check;

#endif
