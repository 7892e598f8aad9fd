/* progress.h - how fast a client takes an answer, by what its kernel has acknowledged. */
#ifndef ROLES_FRONT_HTTP_PROGRESS_H
#define ROLES_FRONT_HTTP_PROGRESS_H

#include <stdint.h>

/** An answer's begin. */
struct progress {
    uint64_t since_ns;
    uint64_t acknowledged_bytes; /* of all that the socket ever sent */
};

/** An answer begins on socket @fd at @now_ns. */
struct progress progress_begin(int fd, uint64_t now_ns);

/**
 * Bytes a second since then. It begins with a head start, so that nobody is judged by its first moments: who
 * is not slow has a first window full at once, however little of the processor it gets. On a socket that is
 * none of TCP it counts as having taken all @length bytes: who comes over a unix socket is trusted.
 */
uint64_t progress_speed(const struct progress *progress, int fd, uint64_t length, uint64_t now_ns);

#endif
