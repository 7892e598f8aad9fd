/*
 * resolver.h - the role that parses files which others made: a process without power that answers one request
 * (link/resolver_messages.h) and ends.
 */
#ifndef ROLES_RESOLVER_RESOLVER_H
#define ROLES_RESOLVER_RESOLVER_H

/**
 * Be a resolver on @socket_fd, as main of a helper (link/helper.h): gives up all power and every other
 * descriptor but stderr, answers one request, returns the exit code.
 */
int resolver_main(int socket_fd);

#endif
