/*
 * connections.h - all connections of the front, so that who is slow makes room for who is not.
 *
 * No client can hold up others by doing little: beyond a number of connections one of the state that most are
 * in is closed, the longest there, of readers the slowest; beyond a number of bytes the slowest readers are
 * cut off, by what their kernels have acknowledged; and each state of a connection that depends on its client
 * alone has a deadline.
 */
#ifndef ROLES_FRONT_HTTP_CONNECTIONS_H
#define ROLES_FRONT_HTTP_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roles/front/http/answers.h"
#include "roles/front/web/web.h"

#define CONNECTIONS_MAX 512
/** Bytes of answers that wait for their readers, over all connections; beyond, the slowest are cut off. */
#define CONNECTIONS_SENDING_BYTES_MAX ((uint64_t)64 << 20)

enum connection_state {
    CONNECTION_NEW,     /* nothing was asked yet: handshake and first header */
    CONNECTION_IDLE,    /* between two requests */
    CONNECTION_READING, /* a request's body */
    CONNECTION_WORKING, /* it waits for us */
    CONNECTION_SENDING, /* an answer waits for its reader */
    CONNECTION_STATE_COUNT,
};

struct connections;
struct connection;

/** NULL: no memory or no thread. */
struct connections *connections_new(void);
/** No connection may be left. NULL is allowed. */
void connections_free(struct connections *connections);

/** A client came over @fd, which stays the caller's until connection_closed(). @web (or NULL) is referenced.
 * NULL: no memory. */
struct connection *connection_opened(struct connections *connections, int fd, struct web_state *web);
/** Before its descriptor is closed. NULL is allowed. */
void connection_closed(struct connection *connection);

/** It is now in @state. NULL is allowed. */
void connection_enter(struct connection *connection, enum connection_state state);
/** It is now in CONNECTION_SENDING with @bytes of its own, or with @shared (else NULL), whose bytes count
 * once however many send them. NULL is allowed. */
void connection_send(struct connection *connection, size_t bytes, struct answer *shared);

/** The configuration that its TLS session began with, or NULL. */
const struct web_state *connection_web(const struct connection *connection);

#endif
