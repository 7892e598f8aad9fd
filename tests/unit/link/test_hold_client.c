/* test_hold_client.c - what a holder told is heard, also where it has ended before it was asked. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "link/hold_client.h"
#include "link/hold_messages.h"

#define BUDGET_NS (20 * NS_PER_SECOND)
#define PAUSE_NS 7u
#define ROUNDS 200

struct fake {
    int ends[2]; /* the client's, the holder's */
    pthread_t thread;
    enum status answer; /* to the request */
    bool only_reports;  /* its end comes before the answer */
};

static bool say(const struct fake *fake, enum hold_kind kind)
{
    const struct hold_message message = {.magic = HOLD_MAGIC,
                                         .kind = kind,
                                         .status = fake->answer,
                                         .pause_ns = PAUSE_NS,
                                         .threads = 3,
                                         .release_by_ns = UINT64_MAX};
    return send(fake->ends[1], &message, sizeof message, MSG_NOSIGNAL) == (ssize_t)sizeof message;
}

static enum status start(void *context, int *fd_ret, struct error *err)
{
    struct fake *fake = context;
    (void)err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fake->ends), 0);
    assert_true(say(fake, fake->only_reports ? HOLD_REPORT : HOLD_ANSWER));
    *fd_ret = fake->ends[0];
    return STATUS_OK;
}

static struct hold_client client_of(struct fake *fake)
{
    struct hold_client client;
    hold_client_init(&client, (struct helper_launcher){.start = start, .context = fake});
    return client;
}

static enum status begin(struct hold_client *client)
{
    struct error err = {0};
    return client->holder.ops->begin(&client->holder, 1, BUDGET_NS, &err);
}

static struct hold_report end(struct hold_client *client)
{
    struct hold_report report;
    client->holder.ops->end(&client->holder, &report);
    return report;
}

/* Its time was over: it has told, and is gone. */
static void test_told_before_it_was_asked(void **state)
{
    (void)state;
    struct fake fake = {.answer = STATUS_OK};
    struct hold_client client = client_of(&fake);
    assert_int_equal(begin(&client), STATUS_OK);
    assert_true(say(&fake, HOLD_REPORT));
    close(fake.ends[1]);
    struct hold_report report = end(&client);
    assert_int_equal(report.pause_ns, PAUSE_NS);
    assert_int_equal(report.threads, 3);
    assert_false(report.is_confirmed);
}

/* Its time ends just when it is asked: it tells, and leaves the release unread. */
static void *tell_and_leave(void *context)
{
    const struct fake *fake = context;
    struct hold_message request;
    struct pollfd ready = {.fd = fake->ends[1], .events = POLLIN};
    if (recv(fake->ends[1], &request, sizeof request, 0) == (ssize_t)sizeof request &&
        poll(&ready, 1, -1) == 1)
        (void)say(fake, HOLD_REPORT);
    close(fake->ends[1]);
    return NULL;
}

static void test_told_while_it_is_asked(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct fake fake = {.answer = STATUS_OK};
        struct hold_client client = client_of(&fake);
        assert_int_equal(begin(&client), STATUS_OK);
        assert_int_equal(pthread_create(&fake.thread, NULL, tell_and_leave, &fake), 0);
        struct hold_report report = end(&client);
        pthread_join(fake.thread, NULL);
        assert_int_equal(report.pause_ns, PAUSE_NS);
        assert_int_equal(report.threads, 3);
    }
}

/* Some threads stood still before it gave up. */
static void test_refusal_tells_its_pause(void **state)
{
    (void)state;
    struct fake fake = {.answer = STATUS_TIMEOUT};
    struct hold_client client = client_of(&fake);
    assert_int_equal(begin(&client), STATUS_TIMEOUT);
    assert_int_equal(client.holder.vain_pause_ns, PAUSE_NS);
    close(fake.ends[1]);
}

/* It had stopped all, and was ended before it could say so. */
static void test_report_is_no_answer(void **state)
{
    (void)state;
    struct fake fake = {.answer = STATUS_OK, .only_reports = true};
    struct hold_client client = client_of(&fake);
    assert_int_equal(begin(&client), STATUS_TIMEOUT);
    assert_true(client.holder.vain_pause_ns > 0);
    close(fake.ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_before_it_was_asked),
        cmocka_unit_test(test_told_while_it_is_asked),
        cmocka_unit_test(test_refusal_tells_its_pause),
        cmocka_unit_test(test_report_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
