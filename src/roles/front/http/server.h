/* server.h - a daemon of libmicrohttpd for each listener: epoll and one thread. */
#ifndef ROLES_FRONT_HTTP_SERVER_H
#define ROLES_FRONT_HTTP_SERVER_H

#include "roles/front/state.h"

struct server;

/** Serve on @listener, which becomes the server's. */
enum status server_new(struct front *front, int listener, bool is_unix, struct server **ret,
                       struct error *err) must_check;
/** Let go of all connections and end the thread. streams_end_all() comes first. NULL is allowed. */
void server_free(struct server *server);

#endif
