/*
 * resolver.h - the role that parses files which others made: a process without power that answers one request
 * (link/resolver_messages.h) and ends.
 */
#ifndef ROLES_RESOLVER_RESOLVER_H
#define ROLES_RESOLVER_RESOLVER_H

#include <sys/types.h>

#include "base/error.h"

/**
 * Be a resolver on @socket_fd, in a process that was forked for it: gives up all power and every other
 * descriptor but stderr, answers one request, returns the exit code. The caller does _exit() with it.
 */
int resolver_main(int socket_fd);

/** A resolver that was forked directly; the launcher of one-shot commands. */
struct resolver_child {
    pid_t pid;
};

/** start and stop of struct resolver_launcher; their context is a struct resolver_child. */
enum status resolver_child_start(void *context, int *fd_ret, struct error *err) must_check;
void resolver_child_stop(void *context);

#endif
