/* holder.c - see holder.h. */
#include "roles/holder/holder.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "link/hold_messages.h"
#include "link/sandbox.h"
#include "roles/holder/held_threads.h"
#include "roles/holder/page_lock.h"

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
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* a look for a thread that stops comes when it is due */
    if (sandbox_enter(ROLE_HOLDER, NULL) != STATUS_OK)
        return 1;
    if (!hear(socket_fd, HOLD_REQUEST, &message) || message.pid <= 0 || message.budget_ns == 0 ||
        message.budget_ns > HOLD_BUDGET_NS_MAX)
        return 1;
    struct held_threads held = {.pid = message.pid, .budget_ns = message.budget_ns};
    struct hold_message answer = {.magic = HOLD_MAGIC, .kind = HOLD_ANSWER, .pid = message.pid};
    page_lock_code((const void *)(uintptr_t)&holder_main);
    page_lock_caller(&held, sizeof held);
    enum status status = held_threads_stop(&held);
    /* after a failure our end lets go of the threads that stopped already */
    if (status != STATUS_OK)
        held_threads_let_go(&held);
    answer.status = (uint32_t)status;
    answer.release_by_ns = held.release_by_ns;
    answer.threads = (uint32_t)held.count;
    if (!say(socket_fd, &answer) || status != STATUS_OK)
        return status == STATUS_OK;
    bool is_released = hear(socket_fd, HOLD_RELEASE, &message);
    struct hold_message report = {.magic = HOLD_MAGIC,
                                  .kind = HOLD_REPORT,
                                  .pid = held.pid,
                                  .pause_ns = held_threads_let_go(&held),
                                  .threads = (uint32_t)held.count,
                                  .is_confirmed = is_released};
    return say(socket_fd, &report) ? 0 : 1;
}
