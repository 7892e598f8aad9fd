/*
 * scanner.h - the process that finds the configured processes, reads their heaps on a schedule and renders
 * dumps. It reads other processes and has no network.
 */
#ifndef ROLES_SCANNER_SCANNER_H
#define ROLES_SCANNER_SCANNER_H

#include <linux/capability.h>

#include "link/privileges.h"

/** The capabilities that it keeps (link/privileges.h): for memory, and for pagemap and libc files. */
#define SCANNER_CAPABILITIES (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH))

/** Run the role until the keeper closes @control_fd. Returns the exit code. */
int scanner_main(int control_fd);

#endif
