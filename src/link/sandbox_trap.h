/* sandbox_trap.h - what a call that the filter does not know meets: SIGSYS, answered by ENOSYS. */
#ifndef LINK_SANDBOX_TRAP_H
#define LINK_SANDBOX_TRAP_H

#include <stdbool.h>

/** Catch SIGSYS; false: errno says why. */
bool sandbox_trap_install(void);

#endif
