/* streams.h - dumps of one process' chunks into a pipe of the front, a thread each. */
#ifndef ROLES_SCANNER_STREAMS_H
#define ROLES_SCANNER_STREAMS_H

#include "link/link.h"
#include "roles/scanner/state.h"

/**
 * Begin the stream that a STREAM_REQUEST asks for; takes its pipe. What is wrong with it, or with the
 * process, is answered to the front, never returned.
 */
void streams_begin(struct scanner *scanner, struct message *request);

#endif
