/* scan_all.h - `scan --all`: one exposition of what the configuration selects. */
#ifndef CLI_SCAN_ALL_H
#define CLI_SCAN_ALL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "cli/session.h"

/** Whether the arguments behind `scan` ask for it. */
bool scan_all_is_wanted(int argc, char **argv);

/** Append the exposition to @out; the exit code, with a message on stderr where it is not 0. */
int scan_all_run(int argc, char **argv, const struct session_helpers *helpers, struct buffer *out);

#endif
