/* own_usage.h - what our own processes use together; inside this folder only. */
#ifndef ROLES_KEEPER_OWN_USAGE_H
#define ROLES_KEEPER_OWN_USAGE_H

#include "roles/keeper/dispatch.h"

/**
 * Read it from procfs and tell the front, which needs no look at other processes for it. A process that
 * cannot be read counts as 0.
 */
void own_usage_tell(struct keeper *keeper);

/** The same where the last time was a second ago. */
void own_usage_refresh(struct keeper *keeper, uint64_t now_ns);

#endif
