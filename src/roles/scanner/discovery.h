/* discovery.h - the thread that looks which processes there are and which of them the configuration takes. */
#ifndef ROLES_SCANNER_DISCOVERY_H
#define ROLES_SCANNER_DISCOVERY_H

#include "roles/scanner/state.h"

/** Start the thread. Its first round is at once when a configuration is there. */
enum status discovery_start(struct scanner *scanner, struct error *err) must_check;

/** Make the groups that are there without a process. The lock is held. */
void discovery_make_groups(struct scanner *scanner);

/** Bring what groups say of their processes up to date, and end those that nobody was in for too long. The
 * lock is held. */
void discovery_count_groups(struct scanner *scanner);

#endif
