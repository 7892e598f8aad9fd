/* test_front_link.c - what the scanner tells a front that reads, one that does not, and one that comes after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "link/link.h"
#include "roles/scanner/front_link.h"
#include "roles/scanner/report.h"

#define REPORTS 20000
#define ANSWERS 2000 /* more than a socket takes, fewer than are too many to wait */
#define PATIENCE_MS 50
#define WAIT_MS 30000

struct fixture {
    struct scanner *scanner;
    struct tracked *process;
    struct group *group;
    int keeper; /* the other end of its control socket */
    int front;  /* the other end of its link */
};

static void connect_front(struct fixture *fixture, uint64_t epoch)
{
    int ends[2];
    assert_int_equal(link_pair(ends, NULL), STATUS_OK);
    assert_int_equal(front_link_replace(fixture->scanner, ends[1], epoch, NULL), STATUS_OK);
    fixture->front = ends[0];
}

/* A scanner with one process, and a front that knows nothing. It is never freed: its thread goes on. */
static void begin(struct fixture *fixture, int patience_ms)
{
    int ends[2];
    struct message_process_id id = {.pid = 7};
    struct scanner *scanner = fixture->scanner = calloc(1, sizeof *scanner);
    assert_non_null(scanner);
    pthread_mutex_init(&scanner->lock, NULL);
    pthread_mutex_init(&scanner->control_lock, NULL);
    pthread_cond_init(&scanner->is_untold, NULL);
    assert_int_equal(link_pair(ends, NULL), STATUS_OK);
    fixture->keeper = ends[0];
    scanner->control = ends[1];
    assert_int_equal(config_default(&scanner->config, NULL), STATUS_OK);
    fixture->group = groups_take(&scanner->groups, "group", NULL, 1);
    fixture->process = tracked_add(&scanner->table, &id);
    assert_true(fixture->group && fixture->process);
    fixture->process->group = fixture->process->home = fixture->group;
    connect_front(fixture, 1);
    assert_int_equal(front_link_start(scanner, patience_ms, NULL), STATUS_OK);
}

/* One scan more, with a result that can be told from the others. */
static void report(struct fixture *fixture, uint64_t number)
{
    struct group_counters added = {.resyncs = 1};
    pthread_mutex_lock(&fixture->scanner->lock);
    fixture->process->result.valid_until_ns = number;
    report_process(fixture->scanner, fixture->process);
    group_count(fixture->group, &added);
    report_group(fixture->scanner, fixture->group);
    pthread_mutex_unlock(&fixture->scanner->lock);
}

/* Answers are told one by one, and so they fill the link. */
static void answer(struct fixture *fixture)
{
    struct message_stream_reply reply = {0};
    for (reply.id = 1; reply.id <= ANSWERS; reply.id++) {
        pthread_mutex_lock(&fixture->scanner->lock);
        report_stream(fixture->scanner, MESSAGE_STREAM_REPLY, &reply);
        pthread_mutex_unlock(&fixture->scanner->lock);
    }
}

static void hear(int end, struct message *ret)
{
    assert_int_equal(link_receive(end, ret, WAIT_MS, NULL), STATUS_OK);
}

/* Read on until a message of @kind. */
static void hear_kind(int end, enum message_kind kind, struct message *ret)
{
    for (hear(end, ret); ret->kind != kind; hear(end, ret))
        message_deinit(ret);
}

static void hear_unlinked(struct fixture *fixture, uint64_t epoch)
{
    scoped_message struct message message = {.fd = -1};
    hear(fixture->keeper, &message);
    assert_int_equal(message.kind, MESSAGE_UNLINKED);
    assert_int_equal(((const struct message_peer *)message.body)->epoch, epoch);
}

/* Read to the last report, and sum up what was counted. */
static uint64_t hear_reports(struct fixture *fixture, uint64_t last, bool *is_told_less)
{
    uint64_t resyncs = 0, seen = 0, reports = 0;
    while (resyncs < last || seen < last) {
        scoped_message struct message message = {.fd = -1};
        hear(fixture->front, &message);
        if (message.kind == MESSAGE_GROUP)
            resyncs = ((const struct message_group *)message.body)->totals.resyncs;
        if (message.kind != MESSAGE_PROCESS)
            continue;
        reports++;
        assert_true(((const struct message_process *)message.body)->valid_until_ns > seen);
        seen = ((const struct message_process *)message.body)->valid_until_ns;
    }
    *is_told_less = reports < last;
    return resyncs;
}

static void test_a_front_that_reads_late_gets_the_latest(void **state)
{
    (void)state;
    struct fixture fixture;
    bool is_told_less;
    begin(&fixture, WAIT_MS);
    answer(&fixture);
    for (uint64_t i = 1; i <= REPORTS; i++)
        report(&fixture, i);
    assert_int_equal(hear_reports(&fixture, REPORTS, &is_told_less), REPORTS);
    assert_true(is_told_less); /* what the front could not read in time was replaced, not kept */
}

static void test_a_front_that_does_not_read_is_given_up(void **state)
{
    (void)state;
    struct fixture fixture;
    bool is_told_less;
    begin(&fixture, PATIENCE_MS);
    for (uint64_t i = 1; i <= REPORTS; i++)
        report(&fixture, i);
    answer(&fixture); /* neither waits */
    hear_unlinked(&fixture, 1);
    assert_null(front_link_ref(fixture.scanner));
    report(&fixture, REPORTS + 1);
    close(fixture.front);
    connect_front(&fixture, 2);
    assert_int_equal(hear_reports(&fixture, REPORTS + 1, &is_told_less), REPORTS + 1);
}

/* Events cannot be replaced by later ones: those that are kept have a bound. */
static void test_ends_that_nobody_reads_of_are_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, WAIT_MS);
    for (uint64_t i = 1; i <= 10 * REPORTS; i++) {
        pthread_mutex_lock(&fixture.scanner->lock);
        fixture.process->is_reported = true;
        report_process_gone(fixture.scanner, fixture.process, false);
        size_t waiting_bytes = fixture.scanner->untold.event_bytes;
        pthread_mutex_unlock(&fixture.scanner->lock);
        assert_in_range(waiting_bytes, 0, 1 << 20);
    }
    /* the thread hears of it once its message is through */
    scoped_message struct message message = {.fd = -1};
    while (link_receive(fixture.front, &message, WAIT_MS, NULL) == STATUS_OK)
        message_deinit(&message);
    hear_unlinked(&fixture, 1);
}

static void test_a_link_that_was_closed(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, PATIENCE_MS);
    scoped_message struct message message = {.fd = -1};
    hear_kind(fixture.front, MESSAGE_SETTINGS, &message);
    close(fixture.front);
    report(&fixture, 1);
    hear_unlinked(&fixture, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_front_that_reads_late_gets_the_latest),
        cmocka_unit_test(test_a_front_that_does_not_read_is_given_up),
        cmocka_unit_test(test_ends_that_nobody_reads_of_are_bounded),
        cmocka_unit_test(test_a_link_that_was_closed),
    };
    log_init((enum log_level)(LOG_ERROR + 1), LOG_LOGFMT, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
