/* helpers.h - roles that live for one task and are forked for it: holder and resolver. */
#ifndef ROLES_KEEPER_HELPERS_H
#define ROLES_KEEPER_HELPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define HELPERS_MAX 32

/** Those that run now. Zero-initialise. */
struct helpers {
    pid_t pids[HELPERS_MAX];
    size_t count;
};

/**
 * Fork one that runs @main on its end of a new socket; the other end is *@fd_ret, the caller's. It ends with
 * this process. STATUS_TOO_LARGE: HELPERS_MAX run already.
 */
enum status helper_start(struct helpers *helpers, int (*main)(int socket_fd), int *fd_ret,
                         struct error *err) must_check;

/** Forget @pid, which has ended; false: it was none of these. */
bool helper_ended(struct helpers *helpers, pid_t pid);

#endif
