/* listeners.h - addresses to listening sockets. */
#ifndef ROLES_KEEPER_LISTENERS_H
#define ROLES_KEEPER_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** A listening, close-on-exec, non-blocking socket. @address is as it was given. */
struct listener {
    int fd;
    bool is_unix;
    bool is_inherited; /* of the service manager, who removes its file */
    const char *address;
};

/**
 * Listen on @address: "host:port", "[v6]:port", ":port" (all addresses) or "unix:PATH" (mode 0600; a socket
 * there that nobody listens on is replaced). STATUS_USAGE: it is none of these.
 */
enum status listener_open(const char *address, struct listener *ret, struct error *err) must_check;

/**
 * Take the listening sockets that the service manager hands over (sd_listen_fds(3): the protocol, not the
 * library) into @listeners, at most @room; *@count_ret is how many. STATUS_USAGE: there are none, too many,
 * or one is no listening stream socket.
 */
enum status listeners_inherit(struct listener *listeners, uint32_t room, uint32_t *count_ret,
                              struct error *err) must_check;

/** Give a unix socket's file to @uid; others are left as they are. */
enum status listener_give_to(const struct listener *listener, uid_t uid, gid_t gid,
                             struct error *err) must_check;

/** Close, and remove the file of a unix socket. */
void listener_close(struct listener *listener);

#endif
