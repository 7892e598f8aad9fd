/*
 * test_resolver_liars.c - resolvers that were taken over, or never answer: what they say is one failed
 * resolution, and waiting for them ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/resolver_messages.h"
#include "resolver_fixture.h"

/* A resolver of the test's making: what it says is put into the socket beforehand. */
struct liar {
    struct resolver_record record;
    size_t length; /* of each message */
    int count;
    bool stays_open;
    int other_end;
};

static enum status start_liar(void *context, int *fd_ret, struct error *err)
{
    struct liar *liar = context;
    int ends[2];
    (void)err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    for (int i = 0; i < liar->count; i++)
        if (send(ends[1], &liar->record, liar->length, MSG_DONTWAIT) < 0)
            break;
    liar->other_end = ends[1];
    if (!liar->stays_open)
        shutdown(ends[1], SHUT_WR);
    *fd_ret = ends[0];
    return STATUS_OK;
}

static void stop_liar(void *context)
{
    close(((struct liar *)context)->other_end);
}

static enum status ask_liar(struct liar liar)
{
    struct symbol_answer answer;
    struct resolver_client client;
    const struct helper_launcher launcher = {.start = start_liar, .end = stop_liar, .context = &liar};
    if (liar.length == 0)
        liar.length = sizeof liar.record;
    resolver_client_init(&client, launcher);
    client.timeout_ns = 50 * NS_PER_MS;
    return ask(&client, -1, NULL, &answer);
}

/* A scan's own end is the resolver's too. */
static void ends_with_the_scan(void **state)
{
    (void)state;
    struct symbol_answer answer;
    struct resolver_client client;
    struct liar silent = {.length = 1, .stays_open = true};
    const struct helper_launcher launcher = {.start = start_liar, .end = stop_liar, .context = &silent};
    resolver_client_init(&client, launcher);
    uint64_t start = clock_monotonic_ns();
    client.timeout_ns = 600 * NS_PER_SECOND;
    client.deadline_ns = start + 20 * NS_PER_MS;
    assert_int_equal(ask(&client, -1, NULL, &answer), STATUS_TIMEOUT);
    assert_true(clock_monotonic_ns() >= client.deadline_ns);
    assert_int_equal(ask(&client, -1, NULL, &answer), STATUS_TIMEOUT);
}

static void survives_liars(void **state)
{
    (void)state;
    const struct resolver_record sound = {.version = RESOLVER_VERSION, .kind = RESOLVER_END};
    struct liar liar = {.record = sound};
    assert_int_equal(ask_liar(liar), STATUS_BAD_DATA); /* dead at once */
    liar.stays_open = true;
    assert_int_equal(ask_liar(liar), STATUS_TIMEOUT);
    liar.count = 1;
    assert_int_equal(ask_liar(liar), STATUS_NOT_FOUND); /* an honest end with nothing before it */
    liar.length = sizeof sound - 1;
    assert_int_equal(ask_liar(liar), STATUS_BAD_DATA);
    static const struct resolver_record LIES[] = {
        {.version = RESOLVER_VERSION + 1, .kind = RESOLVER_END},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_END, .index = UINT32_MAX},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_END + 1},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_SYMBOL, .index = RESOLVER_SYMBOL_COUNT},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_OFFSET, .index = FIELD_COUNT},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_OFFSET, .value = -2},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_OFFSET, .value = INT64_MAX},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_SIZE, .index = STRUCT_COUNT},
        {.version = RESOLVER_VERSION, .kind = RESOLVER_WANT, .build_id_length = RESOLVER_BUILD_ID_MAX + 1},
    };
    for (size_t i = 0; i < sizeof LIES / sizeof LIES[0]; i++)
        assert_int_equal(ask_liar((struct liar){.record = LIES[i], .count = 1, .stays_open = true}),
                         STATUS_BAD_DATA);
    struct liar endless = {.record = {.version = RESOLVER_VERSION, .kind = RESOLVER_WANT}, .count = 20};
    memset(endless.record.debuglink, 'x', sizeof endless.record.debuglink);
    assert_int_equal(ask_liar(endless), STATUS_BAD_DATA);
    strcpy(endless.record.debuglink, "../../etc/passwd");
    assert_int_equal(ask_liar(endless), STATUS_BAD_DATA);
    endless.record.kind = RESOLVER_SYMBOL;
    endless.count = 100000;
    assert_true(ask_liar(endless) != STATUS_OK);
}

static bool count_finding(void *context, const struct symbol_finding *finding)
{
    unsigned *count = context;
    ++*count;
    return finding->name[0] != '!';
}

static enum status look_up_liar(struct liar liar, uint32_t limit, unsigned *count)
{
    struct resolver_client client;
    struct symbol_question question = {.kind = SYMBOL_BY_NAME, .text = "x", .limit = limit};
    const struct helper_launcher launcher = {.start = start_liar, .end = stop_liar, .context = &liar};
    liar.length = sizeof liar.record;
    *count = 0;
    resolver_client_init(&client, launcher);
    client.timeout_ns = 50 * NS_PER_MS;
    return client.source.lookup(&client.source, -1, NULL, 0, &question, count_finding, count, NULL);
}

static void survives_liars_of_findings(void **state)
{
    (void)state;
    unsigned count;
    struct liar liar = {.record = {.version = RESOLVER_VERSION, .kind = RESOLVER_FINDING, .count = 1},
                        .count = 10};
    assert_int_equal(look_up_liar(liar, 3, &count),
                     STATUS_OK); /* more than asked for: the rest is not taken */
    assert_int_equal(count, 3);
    assert_int_equal(look_up_liar(liar, 100, &count), STATUS_BAD_DATA); /* no end */
    assert_int_equal(count, 10);
    liar.record.name[0] = '!';
    assert_int_equal(look_up_liar(liar, 100, &count), STATUS_OK);
    assert_int_equal(count, 1);
    struct liar lie = liar;
    memset(lie.record.name, 'x', sizeof lie.record.name);
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    memset(lie.record.type, 'x', sizeof lie.record.type);
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    lie.record.index = FORM_COUNT;
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    lie.record.count = UINT64_MAX;
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    lie = liar;
    lie.record.kind = RESOLVER_SYMBOL;
    assert_int_equal(look_up_liar(lie, 100, &count), STATUS_BAD_DATA);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_liars),
        cmocka_unit_test(ends_with_the_scan),
        cmocka_unit_test(survives_liars_of_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
