/* helpers.c - see helpers.h. */
#include "roles/keeper/helpers.h"

#include <stdio.h>

#include "base/log.h"
#include "link/helper.h"

enum status helper_start(struct helpers *helpers, enum role role, int (*main)(int socket_fd), int *fd_ret,
                         struct error *err)
{
    struct forked_helper forked = {.main = main};
    if (helpers->count == HELPERS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%d helpers run already", HELPERS_MAX);
    enum status status = forked_helper_start(&forked, fd_ret, err);
    if (status == STATUS_OK)
        helpers->items[helpers->count++] = (struct helper){forked.pid, role};
    return status;
}

/* Not for each stop that the kernel's timer ends a line that everybody reads. */
static void count_killed(struct helpers *helpers, enum role role, int signal)
{
    char by[24];
    snprintf(by, sizeof by, "signal %d", signal);
    log_event(LOG_DEBUG, "helper ended", "role_name", role == ROLE_HOLDER ? "holder" : "resolver", "by", by,
              NULL);
    helpers->killed[role]++;
}

bool helper_ended(struct helpers *helpers, pid_t pid, int wait_status)
{
    for (size_t i = 0; i < helpers->count; i++) {
        if (helpers->items[i].pid != pid)
            continue;
        if (helper_signal(wait_status) != 0)
            count_killed(helpers, helpers->items[i].role, helper_signal(wait_status));
        helpers->items[i] = helpers->items[--helpers->count];
        return true;
    }
    return false;
}
