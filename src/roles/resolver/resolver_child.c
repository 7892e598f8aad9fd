/* resolver_child.c - a resolver forked directly. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "roles/resolver/resolver.h"

enum status resolver_child_start(void *context, int *fd_ret, struct error *err)
{
    struct resolver_child *child = context;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(err, errno, "make a resolver's socket");
    scoped_fd int ours = ends[0];
    scoped_fd int theirs = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return error_errno(err, errno, "start a resolver");
    if (pid == 0)
        _exit(resolver_main(theirs));
    child->pid = pid;
    *fd_ret = take_fd(&ours);
    return STATUS_OK;
}

void resolver_child_stop(void *context)
{
    struct resolver_child *child = context;
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    child->pid = 0;
}
