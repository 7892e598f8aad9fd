/* holder.c - see holder.h. */
#include "roles/holder/holder.h"

#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/hold_messages.h"
#include "link/privileges.h"
#include "link/sandbox.h"
#include "roles/holder/held_threads.h"
#include "roles/holder/page_lock.h"

#define SOCKET_FD 0
#define TURN_NS 100000u

/*
 * Ask for short turns on the processor (sched_setattr(2); Linux 6.12 and later heed it): who has the shorter
 * turn has it sooner. Else a thread that is let go takes the processor, and those that are left stand still
 * for its turn. Nothing is lost without it.
 */
static void take_short_turns(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } attributes = {.size = sizeof attributes, .policy = SCHED_OTHER, .runtime_ns = TURN_NS};
    attributes.nice = getpriority(PRIO_PROCESS, 0);
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/* False: it has more than it may have. */
static bool give_up_the_rest(int socket_fd)
{
    if ((socket_fd != SOCKET_FD && dup2(socket_fd, SOCKET_FD) < 0) || close_range(SOCKET_FD + 1, ~0u, 0) != 0)
        return false;
    if (privileges_keep(PRIVILEGE(CAP_SYS_PTRACE), NULL) != STATUS_OK)
        return false;
    take_short_turns();
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

int holder_main(int socket_fd)
{
    struct hold_message message;
    if (!give_up_the_rest(socket_fd) || !hear(HOLD_REQUEST, &message) || message.pid <= 0 ||
        message.budget_ns == 0 || message.budget_ns > HOLD_BUDGET_NS_MAX)
        return 1;
    struct held_threads held = {.pid = message.pid, .budget_ns = message.budget_ns};
    struct hold_message answer = {.magic = HOLD_MAGIC, .kind = HOLD_ANSWER, .pid = message.pid};
    page_lock_code((const void *)(uintptr_t)&holder_main);
    page_lock_caller(&held, sizeof held);
    enum status status = held_threads_stop(&held);
    /* after a failure our end lets go of the threads that stopped already */
    if (status != STATUS_OK)
        answer.pause_ns = held_threads_let_go(&held);
    answer.status = (uint32_t)status;
    answer.begun_ns = held.begun_ns;
    answer.release_by_ns = held.release_by_ns;
    answer.threads = (uint32_t)held.count;
    if (!say(&answer) || status != STATUS_OK)
        return status == STATUS_OK;
    bool is_released = hear_until(HOLD_RELEASE, held.release_by_ns, &message);
    struct hold_message report = {.magic = HOLD_MAGIC,
                                  .kind = HOLD_REPORT,
                                  .pid = held.pid,
                                  .pause_ns = held_threads_let_go(&held),
                                  .threads = (uint32_t)held.count,
                                  .is_confirmed = is_released};
    return say(&report) ? 0 : 1;
}
