/* helpers.h - roles that live for one task and are forked for it: holder and resolver. */
#ifndef ROLES_KEEPER_HELPERS_H
#define ROLES_KEEPER_HELPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "link/messages.h"

#define HELPERS_MAX 32

/** A holder or resolver that was started for one task. */
struct helper {
    pid_t pid;
    enum role role;
};

/** Those that run now, and how many of each role a signal has ended since the start. Zero-initialise. */
struct helpers {
    struct helper items[HELPERS_MAX];
    size_t count;
    uint64_t killed[ROLE_COUNT];
};

/**
 * Fork one that is @role and runs @main on its end of a new socket; the other end is *@fd_ret, the caller's.
 * It ends with this process. STATUS_TOO_LARGE: HELPERS_MAX run already.
 */
enum status helper_start(struct helpers *helpers, enum role role, int (*main)(int socket_fd), int *fd_ret,
                         struct error *err) must_check;

/** Forget @pid, which has ended as @wait_status says (wait(2)), and count it; false: it was none of these. */
bool helper_ended(struct helpers *helpers, pid_t pid, int wait_status);

#endif
