/* hold_client.c - see hold_client.h. */
#include "link/hold_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "link/hold_messages.h"

/* A holder that lives answers by then; a timer of the kernel ends one that does not. */
#define GRACE_MS 200

static bool send_message(int fd, const struct hold_message *message)
{
    return send(fd, message, sizeof *message, MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

/* What lies there is to be had after the other end is closed, too: where that left something of ours unread,
 * after an error. */
static ssize_t take_message(int fd, struct hold_message *ret)
{
    ssize_t got = recv(fd, ret, sizeof *ret, 0);
    return got < 0 && errno == ECONNRESET ? recv(fd, ret, sizeof *ret, 0) : got;
}

/* False: the holder has ended, or says what it must not. */
static bool receive_message(int fd, uint32_t kind, uint64_t budget_ns, struct hold_message *ret)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int rc;
    do {
        rc = poll(&ready, 1, (int)(budget_ns / NS_PER_MS) + GRACE_MS);
    } while (rc < 0 && errno == EINTR);
    return rc == 1 && take_message(fd, ret) == (ssize_t)sizeof *ret && ret->magic == HOLD_MAGIC &&
           ret->kind == kind && ret->status < STATUS_COUNT;
}

static void let_go(struct hold_client *client)
{
    close(client->fd);
    client->fd = -1;
    if (client->launcher.end)
        client->launcher.end(client->launcher.context);
}

static enum status say_why(enum status status, pid_t pid, struct error *err)
{
    switch (status) {
    case STATUS_TRACED:
        return error_set(err, status, "process %d is traced by a debugger already", (int)pid);
    case STATUS_TIMEOUT:
        return error_set(err, status, "the threads of process %d did not stop in time", (int)pid);
    case STATUS_TOO_LARGE:
        return error_set(err, status,
                         "the threads of process %d are too many to be stopped in the time given", (int)pid);
    case STATUS_PERMISSION:
        return error_set(err, status, "process %d may not be stopped: CAP_SYS_PTRACE is missing", (int)pid);
    default:
        return error_set(err, status, "process %d could not be stopped: it ended or the kernel refused",
                         (int)pid);
    }
}

static enum status hold_begin(struct holder *holder, pid_t pid, uint64_t budget_ns, struct error *err)
{
    struct hold_client *client = (struct hold_client *)holder;
    budget_ns = min_u64(budget_ns, HOLD_BUDGET_NS_MAX);
    holder->vain_pause_ns = 0;
    enum status status = client->launcher.start(client->launcher.context, &client->fd, err);
    if (status != STATUS_OK)
        return status;
    struct hold_message request = {
        .magic = HOLD_MAGIC, .kind = HOLD_REQUEST, .pid = (int32_t)pid, .budget_ns = budget_ns};
    struct hold_message answer;
    client->begun_ns = clock_monotonic_ns();
    client->budget_ns = budget_ns;
    status = STATUS_TIMEOUT;
    bool is_answered =
        send_message(client->fd, &request) && receive_message(client->fd, HOLD_ANSWER, budget_ns, &answer);
    if (is_answered)
        status = (enum status)answer.status;
    if (status == STATUS_OK) {
        /* no earlier and no later than our own clock allows, whatever the answer says */
        client->begun_ns = max_u64(client->begun_ns, min_u64(answer.begun_ns, clock_monotonic_ns()));
        client->holder.release_by_ns = min_u64(answer.release_by_ns, clock_monotonic_ns() + budget_ns);
        return STATUS_OK;
    }
    let_go(client);
    /* one that was killed tells nothing: by our clock it was no longer than this */
    uint64_t longest_ns = clock_monotonic_ns() - client->begun_ns;
    holder->vain_pause_ns = is_answered ? min_u64(answer.pause_ns, longest_ns) : longest_ns;
    return say_why(status, pid, err);
}

static void hold_end(struct holder *holder, struct hold_report *ret)
{
    struct hold_client *client = (struct hold_client *)holder;
    struct hold_message release = {.magic = HOLD_MAGIC, .kind = HOLD_RELEASE}, report;
    (void)send_message(client->fd, &release); /* a holder whose time was over has told already */
    bool is_told = receive_message(client->fd, HOLD_REPORT, client->budget_ns, &report);
    /* one that was killed tells nothing: by our clock it was no longer than this */
    *ret = (struct hold_report){.pause_ns = clock_monotonic_ns() - client->begun_ns};
    if (is_told)
        *ret = (struct hold_report){.pause_ns = min_u64(report.pause_ns, ret->pause_ns),
                                    .threads = report.threads,
                                    .is_confirmed = report.is_confirmed != 0};
    let_go(client);
}

static const struct hold_ops HOLD_CLIENT_OPS = {.begin = hold_begin, .end = hold_end};

void hold_client_init(struct hold_client *client, struct helper_launcher launcher)
{
    *client = (struct hold_client){.holder = {.ops = &HOLD_CLIENT_OPS}, .launcher = launcher, .fd = -1};
}
