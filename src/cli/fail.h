/* fail.h - how a command ends that failed. */
#ifndef CLI_FAIL_H
#define CLI_FAIL_H

#include "base/error.h"

/** Say on stderr what went wrong. Returns the exit code. */
int cli_fail(const struct error *err);

#endif
