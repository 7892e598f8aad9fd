/* holder.c - see holder.h. */
#include "roles/holder/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/hold_messages.h"

/* What a thread costs: measured 10 us to stop, 6 us to let go. */
#define STOP_NS 10000u
#define LET_GO_NS 6000u
#define KILL_GRACE_NS NS_PER_MS
#define POLL_NS 20000

/* A thread that was seized. */
struct held_thread {
    pid_t tid;
    bool is_stopped;
    int signal; /* stopped on its way to handle this one: handed on when it is let go */
};

struct hold {
    pid_t pid;
    uint64_t budget_ns;
    uint64_t begun_ns; /* just before the first interrupt */
    struct held_thread *threads;
    size_t count, room;
};

/* Keep the right to trace, give up all others. */
static void drop_capabilities(void)
{
    const cap_value_t keep = CAP_SYS_PTRACE;
    cap_t caps = cap_get_proc(), wanted = cap_init();
    cap_flag_value_t has = CAP_CLEAR;
    if (caps)
        cap_get_flag(caps, keep, CAP_PERMITTED, &has);
    if (wanted && has == CAP_SET) {
        cap_set_flag(wanted, CAP_PERMITTED, 1, &keep, CAP_SET);
        cap_set_flag(wanted, CAP_EFFECTIVE, 1, &keep, CAP_SET);
    }
    if (wanted)
        cap_set_proc(wanted);
    cap_free(caps);
    cap_free(wanted);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool is_traced(pid_t pid)
{
    char path[64], line[256];
    int tracer = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (file)
        fclose(file);
    return tracer != 0 && tracer != getpid();
}

static size_t count_threads(pid_t pid)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL)
        count += isdigit((unsigned char)entry->d_name[0]) != 0;
    if (directory)
        closedir(directory);
    return count;
}

/* SIGKILL to ourselves when the budget is over: from the kernel, so that it comes whatever we do. */
static bool arm_timer(uint64_t budget_ns, size_t threads)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    uint64_t let_go = threads * LET_GO_NS, limit = budget_ns + KILL_GRACE_NS;
    limit = limit > let_go + KILL_GRACE_NS ? limit - let_go : KILL_GRACE_NS;
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(limit / NS_PER_SECOND), .tv_nsec = (long)(limit % NS_PER_SECOND)}};
    return timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &when, NULL) == 0;
}

static bool is_known(const struct hold *hold, pid_t tid)
{
    for (size_t i = 0; i < hold->count; i++)
        if (hold->threads[i].tid == tid)
            return true;
    return false;
}

/* Seize and interrupt one thread. STATUS_GONE: it has ended, which is no failure. */
static enum status seize(struct hold *hold, pid_t tid)
{
    if (hold->count == hold->room)
        return STATUS_TIMEOUT; /* more threads than were counted: the process is busy making them */
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        if (errno == ESRCH)
            return STATUS_GONE;
        return is_traced(tid) ? STATUS_TRACED : STATUS_PERMISSION;
    }
    hold->threads[hold->count++] = (struct held_thread){.tid = tid};
    if (hold->begun_ns == 0)
        hold->begun_ns = clock_monotonic_ns();
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    return STATUS_OK;
}

/* Seize the threads that are not held yet; *@added says whether there were any. */
static enum status seize_new(struct hold *hold, bool *added)
{
    char path[64];
    enum status status = STATUS_OK;
    *added = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)hold->pid);
    DIR *directory = opendir(path);
    if (!directory)
        return STATUS_GONE;
    struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(directory)) != NULL) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        if (tid <= 0 || is_known(hold, tid))
            continue;
        status = seize(hold, tid);
        *added = *added || status == STATUS_OK;
        if (status == STATUS_GONE)
            status = STATUS_OK;
    }
    closedir(directory);
    return status;
}

/* Look, without consuming anything, whether the thread has stopped or ended. */
static void look(struct held_thread *thread)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)thread->tid, &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL) != 0) {
        thread->is_stopped = true; /* gone */
        return;
    }
    if (info.si_pid == 0)
        return;
    thread->is_stopped = true;
    /* an event stop has its event above the signal's byte; without, the stop is a signal's delivery */
    if (info.si_code == CLD_TRAPPED && (info.si_status >> 8) == 0)
        thread->signal = info.si_status;
}

static enum status wait_stopped(struct hold *hold)
{
    for (size_t i = 0; i < hold->count;) {
        if (!hold->threads[i].is_stopped)
            look(&hold->threads[i]);
        if (hold->threads[i].is_stopped) {
            i++;
            continue;
        }
        if (clock_monotonic_ns() - hold->begun_ns > hold->budget_ns / 4)
            return STATUS_TIMEOUT;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    return STATUS_OK;
}

static enum status stop_all(struct hold *hold)
{
    if (is_traced(hold->pid))
        return STATUS_TRACED;
    size_t threads = count_threads(hold->pid);
    if (threads == 0)
        return STATUS_GONE;
    if (threads * (STOP_NS + LET_GO_NS) > hold->budget_ns)
        return STATUS_TIMEOUT;
    hold->room = threads * 2 + 16;
    hold->threads = calloc(hold->room, sizeof *hold->threads);
    if (!hold->threads)
        return STATUS_NO_MEMORY;
    /* all that is linked may be more than the memlock limit allows: then pages may come in late, no more */
    (void)mlockall(MCL_CURRENT);
    if (!arm_timer(hold->budget_ns, threads))
        return STATUS_SYSTEM;
    enum status status = STATUS_OK;
    bool added = true;
    while (status == STATUS_OK && added) {
        status = seize_new(hold, &added);
        if (status == STATUS_OK && added)
            status = wait_stopped(hold);
    }
    return status;
}

static uint64_t let_go(struct hold *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        ptrace(PTRACE_DETACH, hold->threads[i].tid, NULL, (void *)(intptr_t)hold->threads[i].signal);
    return clock_monotonic_ns() - hold->begun_ns;
}

static bool say(int fd, const struct hold_message *message)
{
    return send(fd, message, sizeof *message, MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

static bool hear(int fd, uint32_t kind, struct hold_message *ret)
{
    return recv(fd, ret, sizeof *ret, 0) == (ssize_t)sizeof *ret && ret->magic == HOLD_MAGIC &&
           ret->kind == kind;
}

int holder_main(int socket_fd)
{
    struct hold_message message;
    drop_capabilities();
    if (!hear(socket_fd, HOLD_REQUEST, &message) || message.pid <= 0 || message.budget_ns == 0)
        return 1;
    struct hold hold = {.pid = message.pid, .budget_ns = message.budget_ns};
    struct hold_message answer = {.magic = HOLD_MAGIC, .kind = HOLD_ANSWER, .pid = message.pid};
    enum status status = stop_all(&hold);
    /* after a failure our end lets go of the threads that stopped already */
    if (status != STATUS_OK)
        let_go(&hold);
    answer.status = (uint32_t)status;
    answer.threads = (uint32_t)hold.count;
    if (!say(socket_fd, &answer) || status != STATUS_OK)
        return status == STATUS_OK;
    bool is_released = hear(socket_fd, HOLD_RELEASE, &message);
    struct hold_message report = {.magic = HOLD_MAGIC,
                                  .kind = HOLD_REPORT,
                                  .pid = hold.pid,
                                  .pause_ns = let_go(&hold),
                                  .threads = (uint32_t)hold.count,
                                  .is_confirmed = is_released};
    return say(socket_fd, &report) ? 0 : 1;
}
