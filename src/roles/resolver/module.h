/* module.h - which module is asked about, and its debug file from the client. */
#ifndef ROLES_RESOLVER_MODULE_H
#define ROLES_RESOLVER_MODULE_H

#include <stdbool.h>

#include "link/resolver_messages.h"
#include "symbols/symbols.h"

/**
 * Ask the client for the debug file of @wanted; *@fd_ret is the caller's. STATUS_NOT_FOUND: there is none, or
 * it is another module's; STATUS_BAD_DATA: it cannot be read; else the channel has failed.
 */
enum status module_ask_file(int socket_fd, const struct symbols_wanted *wanted, uint64_t deadline_ns,
                            int *fd_ret) must_check;

/** What identifies the module: of the request, else of its file. False: the two are not of one build. */
bool module_identify(const struct resolver_request *request, int module_fd, struct symbols_wanted *ret);

#endif
