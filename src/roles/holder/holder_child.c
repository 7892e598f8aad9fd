/* holder_child.c - start a holder by fork: it keeps its socket and no other descriptor. */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/privileges.h"
#include "roles/holder/holder.h"

int holder_child_main(int socket_fd)
{
    if ((socket_fd > 0 && dup2(socket_fd, 0) < 0) || close_range(1, ~0u, 0) != 0)
        return 1;
    if (privileges_keep(PRIVILEGE(CAP_SYS_PTRACE), false, NULL) != STATUS_OK)
        return 1;
    return holder_main(0);
}

static _Noreturn void run_child(int fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    _exit(holder_child_main(fd));
}

enum status holder_child_start(void *context, int *fd_ret, struct error *err)
{
    struct holder_child *child = context;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(err, errno, "socketpair for a holder");
    scoped_fd int ours = ends[0];
    scoped_fd int theirs = ends[1];
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid < 0)
        return error_errno(err, errno, "fork of a holder");
    if (child->pid == 0)
        run_child(theirs, parent);
    *fd_ret = take_fd(&ours);
    return STATUS_OK;
}

void holder_child_stop(void *context)
{
    struct holder_child *child = context;
    /* it ends by itself when its socket closes; a hanging one is of no use to anybody */
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    child->pid = 0;
}
