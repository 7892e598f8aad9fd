/* child.c - see child.h. */
#include "roles/keeper/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "link/role_start.h"

#define SEND_TIMEOUT_MS 200
#define HEARTBEAT_NS NS_PER_SECOND
/* counted from a heartbeat that was not answered by the time of the next one */
#define SILENCE_NS (9 * NS_PER_SECOND)
#define WAIT_MIN_NS (100 * NS_PER_MS)
#define WAIT_MAX_NS (30 * NS_PER_SECOND)
#define HEALTHY_NS (60 * NS_PER_SECOND)

/* In the new process, up to exec: only what is safe after fork(). */
static _Noreturn void run(const char *flag, const char *parent, int control)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (control == ROLE_CONTROL_FD ? fcntl(control, F_SETFD, 0) : dup2(control, ROLE_CONTROL_FD) < 0)
        _exit(126);
    /* no role needs what stands in the environment of whoever started us */
    char name[] = "malloc_exporter";
    char *const arguments[] = {name, (char *)(uintptr_t)flag, (char *)(uintptr_t)parent, NULL};
    char *const nothing[] = {NULL};
    execve("/proc/self/exe", arguments, nothing);
    _exit(127);
}

enum status child_start(struct child *child, struct error *err)
{
    int ends[2];
    enum status status = link_pair(ends, err);
    if (status != STATUS_OK)
        return status;
    scoped_fd int ours = ends[0];
    scoped_fd int theirs = ends[1];
    char flag[40], parent[16];
    snprintf(flag, sizeof flag, ROLE_FLAG "%s", child->name);
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    pid_t pid = fork();
    if (pid < 0)
        return error_errno(err, errno, "start the %s", child->name);
    if (pid == 0)
        run(flag, parent, theirs);
    child->pid = pid;
    child->control = take_fd(&ours);
    child->is_ready = false;
    child->started_ns = child->heard_ns = child->asked_ns = clock_monotonic_ns();
    child->overdue = (struct overdue){0};
    return STATUS_OK;
}

enum status child_send(struct child *child, enum message_kind kind, const void *body, int fd)
{
    struct error err = {0};
    if (child->control < 0)
        return STATUS_GONE;
    enum status status = link_send(child->control, kind, body, NULL, 0, fd, SEND_TIMEOUT_MS, &err);
    if (status == STATUS_OK)
        return status;
    if (status != STATUS_GONE)
        log_event(LOG_WARN, "role does not read", "role_name", child->name, "error", err.message, NULL);
    child_kill(child);
    return status;
}

static bool is_silent(struct child *child, const char *procfs, uint64_t now_ns)
{
    struct proc_stat stat;
    if (child->heard_ns >= child->asked_ns) {
        child->overdue = (struct overdue){0};
        return false;
    }
    bool is_read = proc_stat_read(procfs, child->pid, &stat, NULL) == STATUS_OK;
    return overdue_look(&child->overdue, is_read ? &stat : NULL, now_ns) > SILENCE_NS;
}

void child_check(struct child *child, const char *procfs, uint64_t now_ns)
{
    struct message_empty empty = {0};
    if (child->pid == 0 || now_ns - child->asked_ns < HEARTBEAT_NS)
        return;
    if (is_silent(child, procfs, now_ns)) {
        log_event(LOG_WARN, "role gives no sign of life", "role_name", child->name, NULL);
        child_kill(child);
        child->heard_ns = now_ns;
        return;
    }
    child->asked_ns = now_ns;
    (void)child_send(child, MESSAGE_PING, &empty, -1);
}

void child_kill(const struct child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
}

void child_ended(struct child *child, uint64_t now_ns)
{
    bool was_healthy = now_ns - child->started_ns >= HEALTHY_NS;
    child->wait_ns = was_healthy || child->wait_ns == 0 ? WAIT_MIN_NS : child->wait_ns * 2;
    if (child->wait_ns > WAIT_MAX_NS)
        child->wait_ns = WAIT_MAX_NS;
    child->restart_ns = now_ns + child->wait_ns;
    child->restarts++;
    close(take_fd(&child->control));
}

bool child_is_due(const struct child *child, uint64_t now_ns)
{
    return child->pid == 0 && now_ns >= child->restart_ns;
}
