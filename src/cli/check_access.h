/* check_access.h - --check-access: what may be read on this machine, and why not. */
#ifndef CLI_CHECK_ACCESS_H
#define CLI_CHECK_ACCESS_H

#include <stdint.h>

/**
 * Print it to stdout: this program's rights, and what of process @pid, or of how many processes (0), may be
 * read. Returns the exit code: 3 where memory is refused, 4 where there is no such process.
 */
int check_access(const char *procfs, int32_t pid);

#endif
