/*
 * ends.h - the thread that hears of the ends of processes: their series go at once, however long discovery or
 * a scan are held up by other processes.
 */
#ifndef ROLES_SCANNER_ENDS_H
#define ROLES_SCANNER_ENDS_H

#include "roles/scanner/state.h"

/** Start the thread, before any process is watched. */
enum status ends_start(struct scanner *scanner, struct error *err) must_check;

/** Have the end of @process told from now on, until its pidfd is closed. The lock is held. */
void ends_watch(const struct scanner *scanner, struct tracked *process);

#endif
