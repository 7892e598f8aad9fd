/* holder.c - see holder.h. */
#include "roles/holder/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
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
#include "link/sandbox.h"
#include "roles/holder/tracer.h"
#include "target/task_list.h"

/* What a thread costs: measured 10 us to stop, 6 us to let go. */
#define STOP_NS 10000u
#define LET_GO_NS 6000u
#define KILL_GRACE_NS NS_PER_MS
#define POLL_NS 20000
#define LEAVING_TRIES 5u
#define LEAVING_NS 400000
/* code of ours around holder_main(), of one call of the C library, and stack on both sides of a frame */
#define LOCKED_AROUND 16384
#define LOCKED_OF_CALL 512u
#define LOCKED_STACK 8192u

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
    struct task_list tasks;
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

/* Another one has it. A holder of a moment ago may not be gone yet: it is given a moment. */
static bool is_traced(pid_t pid)
{
    for (unsigned i = 0; i < LEAVING_TRIES; i++) {
        if (task_tracer(pid) <= 0)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = LEAVING_NS}, NULL);
    }
    return true;
}

static bool open_tasks(struct hold *hold)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/task", (int)hold->pid);
    return task_list_open(&hold->tasks, AT_FDCWD, path);
}

static size_t count_threads(struct hold *hold)
{
    size_t count = 0;
    if (!open_tasks(hold))
        return 0;
    while (task_list_next(&hold->tasks) != 0)
        count++;
    task_list_close(&hold->tasks);
    return count;
}

static void lock_pages(const void *from, size_t bytes)
{
    (void)mlock(from, bytes); /* beyond the limit: then a page may come in late, no more */
}

/*
 * What runs while threads stand still is kept in memory: its code, the stack, the table of threads. All that
 * is linked would be more than a usual limit of locked memory allows.
 */
static void lock_memory(const struct hold *hold)
{
    extern const char __executable_start[], etext[];
    const char *code = (const char *)(uintptr_t)&holder_main;
    const void *const calls[] = {(const void *)(uintptr_t)&ptrace,    (const void *)(uintptr_t)&waitid,
                                 (const void *)(uintptr_t)&nanosleep, (const void *)(uintptr_t)&clock_gettime,
                                 (const void *)(uintptr_t)&syscall,   (const void *)(uintptr_t)&send,
                                 (const void *)(uintptr_t)&recv};
    const char *from = code - __executable_start > LOCKED_AROUND ? code - LOCKED_AROUND : __executable_start;
    const char *to = etext - code > LOCKED_AROUND ? code + LOCKED_AROUND : etext;
    lock_pages(from, (size_t)(to - from));
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        lock_pages(calls[i], LOCKED_OF_CALL);
    lock_pages(hold, sizeof *hold);
    lock_pages(hold->threads, hold->room * sizeof *hold->threads);
    const char *stack = __builtin_frame_address(0);
    lock_pages(stack - LOCKED_STACK, 2 * LOCKED_STACK);
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

static bool is_late(const struct hold *hold)
{
    return hold->begun_ns != 0 && clock_monotonic_ns() - hold->begun_ns > hold->budget_ns / 4;
}

/* Seize and interrupt one thread. STATUS_GONE: it has ended, which is no failure. */
static enum status seize(struct hold *hold, pid_t tid)
{
    if (hold->count == hold->room)
        return STATUS_TOO_LARGE; /* more threads than were counted: the process is busy making them */
    if (is_late(hold))
        return STATUS_TIMEOUT;
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        if (errno == ESRCH)
            return STATUS_GONE;
        /* a leader that has ended is there as a zombie, and cannot be traced */
        pid_t tracer = task_tracer(tid);
        return tracer < 0 ? STATUS_GONE : tracer > 0 ? STATUS_TRACED : STATUS_PERMISSION;
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
    enum status status = STATUS_OK;
    pid_t tid;
    *added = false;
    if (!open_tasks(hold))
        return STATUS_GONE;
    while (status == STATUS_OK && (tid = task_list_next(&hold->tasks)) != 0) {
        if (is_known(hold, tid))
            continue;
        status = seize(hold, tid);
        *added = *added || status == STATUS_OK;
        if (status == STATUS_GONE)
            status = STATUS_OK;
    }
    if (status == STATUS_OK && hold->tasks.failed_errno)
        status = STATUS_SYSTEM; /* whom we do not see runs on */
    task_list_close(&hold->tasks);
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
        if (is_late(hold))
            return STATUS_TIMEOUT;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    return STATUS_OK;
}

static enum status stop_all(struct hold *hold)
{
    if (is_traced(hold->pid))
        return STATUS_TRACED;
    size_t threads = count_threads(hold);
    if (threads == 0)
        return STATUS_GONE;
    if (threads * (STOP_NS + LET_GO_NS) > hold->budget_ns)
        return STATUS_TOO_LARGE;
    hold->room = threads * 2 + 16;
    void *table = mmap(NULL, hold->room * sizeof *hold->threads, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (table == MAP_FAILED)
        return STATUS_NO_MEMORY;
    hold->threads = table;
    lock_memory(hold);
    if (!arm_timer(hold->budget_ns, threads))
        return STATUS_SYSTEM;
    enum status status = STATUS_OK;
    bool added = true;
    while (status == STATUS_OK && added) {
        status = seize_new(hold, &added);
        if (status == STATUS_OK && added)
            status = wait_stopped(hold);
    }
    return status == STATUS_OK && hold->count == 0 ? STATUS_GONE : status;
}

static uint64_t let_go(struct hold *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        ptrace(PTRACE_DETACH, hold->threads[i].tid, NULL, (void *)(intptr_t)hold->threads[i].signal);
    return clock_monotonic_ns() - hold->begun_ns;
}

/* When the stop has to end, so that all threads are let go within the budget. */
static uint64_t release_by_ns(const struct hold *hold)
{
    uint64_t let_go = hold->count * LET_GO_NS;
    return hold->begun_ns + (hold->budget_ns > let_go ? hold->budget_ns - let_go : 0);
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
    if (sandbox_enter(ROLE_HOLDER, NULL) != STATUS_OK)
        return 1;
    if (!hear(socket_fd, HOLD_REQUEST, &message) || message.pid <= 0 || message.budget_ns == 0 ||
        message.budget_ns > HOLD_BUDGET_NS_MAX)
        return 1;
    struct hold hold = {.pid = message.pid, .budget_ns = message.budget_ns, .tasks = {.fd = -1}};
    struct hold_message answer = {.magic = HOLD_MAGIC, .kind = HOLD_ANSWER, .pid = message.pid};
    enum status status = stop_all(&hold);
    /* after a failure our end lets go of the threads that stopped already */
    if (status != STATUS_OK)
        let_go(&hold);
    answer.status = (uint32_t)status;
    answer.release_by_ns = release_by_ns(&hold);
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
