/* explain.h - --config.check --explain PID: which entry takes a process, or why each does not. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdint.h>

#include "config/config.h"

/** Print it to stdout. The exit code: 0; 4 where there is no process @pid. */
int explain_process(const struct config *config, const char *procfs, int32_t pid);

#endif
