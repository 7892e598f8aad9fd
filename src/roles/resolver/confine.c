/* confine.c - see confine.h. */
#include "roles/resolver/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "link/landlock.h"
#include "link/privileges.h"
#include "link/sandbox.h"

#define MEMORY_BYTES_MAX (UINT64_C(256) << 20)
#define PROCESSOR_SECONDS_MAX 10
#define DESCRIPTORS_MAX 16

/* AddressSanitizer reserves terabytes of address space: under it memory has no limit. */
#ifdef __SANITIZE_ADDRESS__
static const rlim_t MEMORY_LIMIT = RLIM_INFINITY;
#else
static const rlim_t MEMORY_LIMIT = MEMORY_BYTES_MAX;
#endif

/* Handlers are the forking role's and may touch what is closed here. */
static void reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &standard, NULL);
}

static enum status keep_only(int socket_fd, struct error *err)
{
    if (socket_fd != CONFINE_SOCKET_FD && dup2(socket_fd, CONFINE_SOCKET_FD) < 0)
        return error_errno(err, errno, "keep the socket");
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        return error_errno(err, errno, "put /dev/null at stdin and stdout");
    if (close_range(CONFINE_SOCKET_FD + 1, UINT_MAX, 0) != 0)
        return error_errno(err, errno, "close the other descriptors");
    return STATUS_OK;
}

static enum status set_limits(struct error *err)
{
    const struct {
        int resource;
        rlim_t value;
    } limits[] = {
        {RLIMIT_AS, MEMORY_LIMIT},
        {RLIMIT_CPU, PROCESSOR_SECONDS_MAX},
        {RLIMIT_NOFILE, DESCRIPTORS_MAX},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_CORE, 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit now;
        if (getrlimit((__rlimit_resource_t)limits[i].resource, &now) != 0)
            return error_errno(err, errno, "read a limit");
        rlim_t value = limits[i].value < now.rlim_max ? limits[i].value : now.rlim_max;
        now = (struct rlimit){.rlim_cur = value, .rlim_max = value};
        if (setrlimit((__rlimit_resource_t)limits[i].resource, &now) != 0)
            return error_errno(err, errno, "set a limit");
    }
    return STATUS_OK;
}

enum status confine(int socket_fd, struct error *err)
{
    enum status status = sandbox_prepare(ROLE_RESOLVER, err); /* before no file can be written any more */
    if (status != STATUS_OK)
        return status;
    reset_signals();
    tzset(); /* the log's time, before its files can be opened no more */
    status = keep_only(socket_fd, err);
    if (status == STATUS_OK)
        status = set_limits(err);
    if (status == STATUS_OK)
        status = privileges_keep(0, err);
    bool is_enforced;
    if (status == STATUS_OK)
        status = landlock_enter(NULL, 0, &is_enforced, err);
    if (status == STATUS_OK)
        status = sandbox_enter(ROLE_RESOLVER, err);
    return status;
}
