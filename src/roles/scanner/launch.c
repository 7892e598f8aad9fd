/* launch.c - see launch.h. */
#include "roles/scanner/launch.h"

#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define ANSWER_NS (5 * NS_PER_SECOND)

/* One request, on the stack of the thread that waits for it. */
struct launch {
    uint64_t sequence;
    int fd;
    bool is_answered;
    struct launch *next;
};

static void take_out(struct scanner *scanner, struct launch *launch)
{
    struct launch **at = &scanner->launches;
    while (*at != launch)
        at = &(*at)->next;
    *at = launch->next;
}

/* The lock of control is held. */
static void await(struct scanner *scanner, struct launch *launch)
{
    uint64_t limit_ns = clock_monotonic_ns() + ANSWER_NS;
    struct timespec limit = {.tv_sec = (time_t)(limit_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(limit_ns % NS_PER_SECOND)};
    int rc = 0;
    while (!launch->is_answered && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&scanner->launched, &scanner->control_lock, &limit);
}

enum status launch_start(void *context, int *fd_ret, struct error *err)
{
    struct launcher *launcher = context;
    struct scanner *scanner = launcher->scanner;
    struct launch launch = {.fd = -1};
    pthread_mutex_lock(&scanner->control_lock);
    launch.sequence = ++scanner->launch_sequence;
    launch.next = scanner->launches;
    scanner->launches = &launch;
    struct message_want want = {.sequence = launch.sequence};
    enum status status = link_send(scanner->control, launcher->want, &want, NULL, 0, -1, 1000, err);
    if (status == STATUS_OK)
        await(scanner, &launch);
    take_out(scanner, &launch);
    pthread_mutex_unlock(&scanner->control_lock);
    if (status != STATUS_OK)
        return status;
    if (launch.fd < 0)
        return error_set(err, STATUS_SYSTEM, "the keeper could not start a %s",
                         launcher->want == MESSAGE_WANT_HOLDER ? "holder" : "resolver");
    *fd_ret = launch.fd;
    return STATUS_OK;
}

void launch_answer(struct scanner *scanner, struct message *message)
{
    const struct message_want *answer = message->body;
    pthread_mutex_lock(&scanner->control_lock);
    for (struct launch *launch = scanner->launches; launch; launch = launch->next) {
        if (launch->sequence != answer->sequence)
            continue;
        launch->fd = take_fd(&message->fd);
        launch->is_answered = true;
    }
    pthread_cond_broadcast(&scanner->launched);
    pthread_mutex_unlock(&scanner->control_lock);
}
