/* helpers.c - see helpers.h. */
#include "roles/keeper/helpers.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

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

enum status helper_start(struct helpers *helpers, int (*main)(int socket_fd), int *fd_ret, struct error *err)
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
    helpers->pids[helpers->count++] = pid;
    *fd_ret = take_fd(&ours);
    return STATUS_OK;
}

bool helper_ended(struct helpers *helpers, pid_t pid)
{
    for (size_t i = 0; i < helpers->count; i++) {
        if (helpers->pids[i] != pid)
            continue;
        helpers->pids[i] = helpers->pids[--helpers->count];
        return true;
    }
    return false;
}
