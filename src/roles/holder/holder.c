/* holder.c - see holder.h. */
#include "roles/holder/holder.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/helper.h"
#include "link/hold_messages.h"
#include "link/privileges.h"
#include "link/sandbox.h"
#include "roles/holder/held_threads.h"
#include "roles/holder/kill_timer.h"
#include "roles/holder/page_lock.h"

#define SOCKET_FD 0
#define TURN_NS 100000u
#define STACK_BYTES 65536u
/* until it is asked, whatever a library does meanwhile: libseccomp 2.5 hangs without memory */
#define BEGIN_NS (5 * NS_PER_SECOND)
/* beyond the budget: for the start and the end of the process that holds, on a machine that is slow at both
 */
#define TELL_GRACE_NS NS_PER_SECOND

/*
 * Be before others on the processor, as far as we may, with what is left of who started us: by real time of
 * the lowest priority (CAP_SYS_NICE, or RLIMIT_RTPRIO of setrlimit(2)), else by short turns (Linux 6.12 and
 * later heed them), since who has the shorter turn has it sooner. Else a stop ends, or is seen to end, after
 * the turns of others. Nothing is lost without either. We rest all the time but to stop threads, and the
 * kernel's timer ends us: nobody is kept waiting for long.
 */
static void take_precedence(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } short_turns = {.size = sizeof short_turns, .flags = SCHED_FLAG_KEEP_POLICY, .runtime_ns = TURN_NS};
    const struct sched_param lowest = {.sched_priority = 1};
    short_turns.nice = getpriority(PRIO_PROCESS, 0);
    if (sched_setscheduler(0, SCHED_FIFO, &lowest) != 0)
        (void)syscall(SYS_sched_setattr, 0, &short_turns, 0);
}

/* One stop, in memory that both processes have: the one that holds, and the one that sees its end and tells.
 */
struct stop {
    pid_t teller;
    enum status status; /* STATUS_OK: it stands still, and who asked is told */
    bool is_released;   /* as asked for, and within the budget */
    struct held_threads held;
};

/* False: it has more than it may have. */
static bool give_up_the_rest(int socket_fd)
{
    if ((socket_fd != SOCKET_FD && dup2(socket_fd, SOCKET_FD) < 0) || close_range(SOCKET_FD + 1, ~0u, 0) != 0)
        return false;
    take_precedence();
    if (privileges_keep(PRIVILEGE(CAP_SYS_PTRACE), NULL) != STATUS_OK)
        return false;
    signal(SIGCHLD, SIG_DFL); /* ignored, as who started us may have left it, it would keep an end from us */
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* a look for a thread that stops comes when it is due */
    return sandbox_enter(ROLE_HOLDER, NULL) == STATUS_OK;
}

static bool say(const struct hold_message *message)
{
    return send(SOCKET_FD, message, sizeof *message, MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

static bool hear(uint32_t kind, struct hold_message *ret)
{
    return recv(SOCKET_FD, ret, sizeof *ret, 0) == (ssize_t)sizeof *ret && ret->magic == HOLD_MAGIC &&
           ret->kind == kind;
}

/* The same, which is to come before @until_ns. ppoll(2) may come late by a thousandth of its time
 * (fs/select.c of Linux), more than the kernel's timer leaves: the last of it is a wait of its own. */
static bool hear_until(uint32_t kind, uint64_t until_ns, struct hold_message *ret)
{
    struct pollfd ready = {.fd = SOCKET_FD, .events = POLLIN};
    int rc = 0;
    for (uint64_t now_ns = clock_monotonic_ns(); rc == 0 && now_ns < until_ns;
         now_ns = clock_monotonic_ns()) {
        uint64_t left_ns = until_ns - now_ns, wait_ns = left_ns - left_ns / 256;
        const struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                                      .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
        rc = ppoll(&ready, 1, &wait, NULL);
    }
    return rc == 1 && hear(kind, ret);
}

/*
 * The process that holds: a second one, in the memory of the first. Its end lets go of all threads. The
 * kernel detaches them in one go then, with nobody else on that processor (exit_ptrace(), kernel/ptrace.c of
 * Linux); where PTRACE_DETACH lets go of one after the other, the first of them take the processor from who
 * is to let go of the rest. And it is no other end than the one that the kernel's timer makes.
 */
static int hold(void *context)
{
    struct stop *stop = context;
    struct hold_message release;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != stop->teller)
        return 1;
    enum status status = held_threads_stop(&stop->held);
    if (status != STATUS_OK) {
        stop->status = status;
        return 0;
    }
    struct hold_message answer = {.magic = HOLD_MAGIC,
                                  .kind = HOLD_ANSWER,
                                  .pid = stop->held.pid,
                                  .begun_ns = stop->held.begun_ns,
                                  .release_by_ns = stop->held.release_by_ns,
                                  .threads = (uint32_t)stop->held.count};
    /* from here on a report is owed; one that comes in place of the answer is taken for a refusal */
    stop->status = STATUS_OK;
    stop->is_released = say(&answer) && hear_until(HOLD_RELEASE, stop->held.release_by_ns, &release);
    return 0;
}

/* Start it and wait for its end. Nothing else is done meanwhile: what is ours of the C library (errno) is its
 * too. False: there is none. */
static bool have_held(struct stop *stop, siginfo_t *end_ret)
{
    static _Alignas(16) char stack[STACK_BYTES];
    page_lock(stack, sizeof stack);
    pid_t pid = clone(hold, stack + sizeof stack, CLONE_VM | SIGCHLD, stop);
    if (pid < 0)
        return false;
    while (waitid(P_PID, (id_t)pid, end_ret, WEXITED) != 0)
        continue;
    return true;
}

/* How it was, now that nothing stands still any more. */
static bool tell(const struct stop *stop)
{
    struct hold_message message = {.magic = HOLD_MAGIC,
                                   .kind = stop->status == STATUS_OK ? HOLD_REPORT : HOLD_ANSWER,
                                   .pid = stop->held.pid,
                                   .status = (uint32_t)stop->status,
                                   .begun_ns = stop->held.begun_ns,
                                   .threads = (uint32_t)stop->held.count,
                                   .is_confirmed = stop->is_released};
    if (stop->held.begun_ns != 0)
        message.pause_ns = clock_monotonic_ns() - stop->held.begun_ns;
    return say(&message);
}

int holder_main(int socket_fd)
{
    struct hold_message request;
    siginfo_t end = {0};
    timer_t timer;
    if (!kill_timer_start(clock_monotonic_ns() + BEGIN_NS, &timer) || !give_up_the_rest(socket_fd) ||
        !hear(HOLD_REQUEST, &request) || request.pid <= 0 || request.budget_ns == 0 ||
        request.budget_ns > HOLD_BUDGET_NS_MAX ||
        !kill_timer_set(timer, clock_monotonic_ns() + request.budget_ns + TELL_GRACE_NS))
        return 1;
    struct stop stop = {.teller = getpid(),
                        .status = STATUS_TIMEOUT, /* of a process that is ended before it can say */
                        .held = {.pid = request.pid, .budget_ns = request.budget_ns}};
    page_lock(&stop, sizeof stop);
    page_lock_calls();
    page_lock_code((const void *)(uintptr_t)&holder_main);
    if (!have_held(&stop, &end))
        stop.status = STATUS_SYSTEM;
    bool is_told = tell(&stop);
    if (end.si_code == CLD_KILLED || end.si_code == CLD_DUMPED)
        return HELPER_SIGNALLED + end.si_status;
    return is_told ? 0 : 1;
}
