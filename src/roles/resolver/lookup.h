/* lookup.h - symbols and structures of a module, searched for a client. */
#ifndef ROLES_RESOLVER_LOOKUP_H
#define ROLES_RESOLVER_LOOKUP_H

#include "base/error.h"
#include "link/resolver_messages.h"

/** Answer a request whose question is RESOLVER_LOOKUP or above: findings, then the end. */
enum status lookup_answer(int socket_fd, const struct resolver_request *request, int module_fd,
                          uint64_t deadline_ns, struct error *err) must_check;

#endif
