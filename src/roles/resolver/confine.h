/* confine.h - how a resolver gives up its power. */
#ifndef ROLES_RESOLVER_CONFINE_H
#define ROLES_RESOLVER_CONFINE_H

#include "base/error.h"

/** The descriptor that confine() leaves the socket at. */
#define CONFINE_SOCKET_FD 3

/**
 * Give up everything but stderr and @socket_fd, which becomes CONFINE_SOCKET_FD: other descriptors,
 * capabilities, ways to gain any, signal handlers, memory beyond 256 MiB, more than 10 s of processor time,
 * writing files. A filter of system calls is set last, at its end: what comes before
 * needs calls that a filter forbids. After a failure the process must end.
 */
enum status confine(int socket_fd, struct error *err) must_check;

#endif
