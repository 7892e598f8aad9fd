/* helper.c - see helper.h. */
#include "link/helper.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/link.h"

static _Noreturn void run(const struct forked_helper *helper, int socket_fd, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    /* a parent that ended before it was asked for tells nobody */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    sigprocmask(SIG_SETMASK, &none, NULL);
    _exit(helper->main(socket_fd));
}

enum status forked_helper_start(struct forked_helper *helper, int *fd_ret, struct error *err)
{
    int ends[2];
    enum status status = link_pair(ends, err);
    if (status != STATUS_OK)
        return status;
    scoped_fd int ours = ends[0];
    scoped_fd int theirs = ends[1];
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return error_errno(err, errno, "fork of a helper");
    if (pid == 0)
        run(helper, theirs, parent);
    helper->pid = pid;
    *fd_ret = take_fd(&ours);
    return STATUS_OK;
}

int helper_signal(int wait_status)
{
    if (WIFSIGNALED(wait_status))
        return WTERMSIG(wait_status);
    return WEXITSTATUS(wait_status) > HELPER_SIGNALLED ? WEXITSTATUS(wait_status) - HELPER_SIGNALLED : 0;
}

void forked_helper_stop(struct forked_helper *helper)
{
    if (helper->pid > 0) {
        if (!helper->ends_by_itself)
            kill(helper->pid, SIGKILL);
        while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    helper->pid = 0;
}

static enum status start(void *context, int *fd_ret, struct error *err)
{
    return forked_helper_start(context, fd_ret, err);
}

static void stop(void *context)
{
    forked_helper_stop(context);
}

struct helper_launcher forked_helper_launcher(struct forked_helper *helper)
{
    return (struct helper_launcher){.start = start, .end = stop, .context = helper};
}
