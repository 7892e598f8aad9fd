/* helpers.c - see helpers.h. */
#include "roles/keeper/helpers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

static _Noreturn void run(int (*main)(int socket_fd), int socket_fd, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    sigprocmask(SIG_SETMASK, &none, NULL);
    _exit(main(socket_fd));
}

enum status helper_start(struct helpers *helpers, enum role role, int (*main)(int socket_fd), int *fd_ret,
                         struct error *err)
{
    int ends[2];
    if (helpers->count == HELPERS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%d helpers run already", HELPERS_MAX);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(err, errno, "socketpair for a helper");
    scoped_fd int ours = ends[0];
    scoped_fd int theirs = ends[1];
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return error_errno(err, errno, "fork of a helper");
    if (pid == 0)
        run(main, theirs, parent);
    helpers->items[helpers->count++] = (struct helper){pid, role};
    *fd_ret = take_fd(&ours);
    return STATUS_OK;
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
        if (WIFSIGNALED(wait_status))
            count_killed(helpers, helpers->items[i].role, WTERMSIG(wait_status));
        helpers->items[i] = helpers->items[--helpers->count];
        return true;
    }
    return false;
}
