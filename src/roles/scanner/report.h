/*
 * report.h - what the front is told; the lock of the scanner is held in all of these.
 *
 * Nothing is sent here: what is to be told is marked, for the thread of front_link.h. Where there is no front
 * now, the next one is told all by report_all().
 */
#ifndef ROLES_SCANNER_REPORT_H
#define ROLES_SCANNER_REPORT_H

#include "roles/scanner/state.h"

/** The settings that the front needs of the configuration. */
void report_settings(struct scanner *scanner);
/** A group as it is now, with what was counted since it was last told; nothing where nothing changed. */
void report_group(struct scanner *scanner, struct group *group);
void report_group_gone(struct scanner *scanner, const struct group *group);
/** The latest of a process. */
void report_process(struct scanner *scanner, struct tracked *process);
/** It has ended, or is selected no more. Nothing where it was never told of. */
void report_process_gone(struct scanner *scanner, struct tracked *process, bool has_ended);
void report_round(struct scanner *scanner);
/** All of it, to a front that knows nothing. */
void report_all(struct scanner *scanner);
/** How a stream begins or ends. */
void report_stream(struct scanner *scanner, enum message_kind kind, const struct message_stream_reply *reply);

#endif
