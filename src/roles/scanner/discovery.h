/* discovery.h - the thread that looks which processes there are and which of them the configuration takes. */
#ifndef ROLES_SCANNER_DISCOVERY_H
#define ROLES_SCANNER_DISCOVERY_H

#include "roles/scanner/state.h"

/** Start the thread. Its first round is at once when a configuration is there. */
enum status discovery_start(struct scanner *scanner, struct error *err) must_check;

#endif
