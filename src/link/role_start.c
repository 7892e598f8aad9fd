/* role_start.c - see role_start.h. */
#include "link/role_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "link/privileges.h"

enum status role_start(int32_t keeper_pid, uint64_t capabilities, struct error *err)
{
    static const int IGNORED[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++)
        signal(IGNORED[i], SIG_IGN);
    /* exec made it "exe" */
    prctl(PR_SET_NAME, "malloc_exporter");
    /* what the library would read of it on first use can be opened no more later */
    tzset();
    if (fcntl(ROLE_CONTROL_FD, F_SETFD, FD_CLOEXEC) != 0)
        return error_errno(err, errno, "the socket to the keeper");
    enum status status = privileges_keep(capabilities, err);
    if (status != STATUS_OK)
        return status;
    /* after all changes of credentials, which clear it */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return error_errno(err, errno, "PR_SET_PDEATHSIG");
    if (getppid() != keeper_pid)
        return error_set(err, STATUS_GONE, "the keeper has ended");
    return STATUS_OK;
}
