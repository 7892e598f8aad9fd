/* inspect.h - the one-shot commands that look into a process or a core file. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include <stdio.h>

#include "cli/session.h"

/**
 * Run the subcommand called @argv[0] with the arguments behind it; prints to stdout, errors to stderr.
 * Returns the exit code of the contract: 0 done, 1 failed, 2 usage, 3 no permission, 4 no such process, 5 no
 * glibc malloc.
 */
int inspect_run(int argc, char **argv, const struct session_helpers *helpers);

/** Whether there is a subcommand called @name. */
bool inspect_has(const char *name);

/** A line a subcommand, for --help. */
void inspect_help(FILE *out);

#endif
