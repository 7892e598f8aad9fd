/* test_schedule.c - when processes are scanned, by a clock that the test sets. */
#include "roles/scanner/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/by_value.h"
#include "support/config_text.h"

#define SECOND NS_PER_SECOND
#define NOW (1000 * SECOND)
#define PID 100

static struct scanner *scanner;

static int end_scanner(void **state)
{
    (void)state;
    if (scanner) {
        tracked_deinit(&scanner->table);
        groups_deinit(&scanner->groups);
        config_free(scanner->config);
    }
    free(scanner);
    scanner = NULL;
    return 0;
}

/* A scanner with @count selected processes, each in a group of its own, none of them tried yet. */
static void make_scanner(const char *config, int count)
{
    scanner = calloc(1, sizeof *scanner);
    assert_non_null(scanner);
    scanner->config = config_text_load(config);
    for (int i = 0; i < count; i++) {
        char name[16];
        struct message_process_id id = {.pid = PID + i, .start_time_ticks = 1, .address_space = 1};
        struct tracked *process = tracked_add(&scanner->table, &id);
        assert_non_null(process);
        snprintf(name, sizeof name, "g%d", i);
        process->scan_config = scanner->config->scan;
        process->home = process->group = groups_take(&scanner->groups, name, NULL, 1);
        process->is_matched = true;
        process->due_ns = process->first_seen_ns = NOW;
    }
}

static struct tracked *process_at(int index)
{
    return scanner->table.items[index];
}

/* An attempt that took @duration_ns. */
static void attempt(struct tracked *process, uint64_t begin_ns, uint64_t duration_ns, enum status status)
{
    process->last_cost_ns = duration_ns;
    process->is_tried = true;
    schedule_next(scanner, process, begin_ns, begin_ns + duration_ns, status);
}

/* Whatever groups they are in: gaps of multiples of the golden ratio are below 2.62 of the even one. */
static void test_spread(void **state)
{
    enum { COUNT = 200 };
    uint64_t due_ns[COUNT + 2] = {NOW};
    (void)state;
    make_scanner("scan: {interval: 10s}\n", COUNT);
    for (int i = 0; i < COUNT; i++) {
        attempt(process_at(i), NOW, NS_PER_MS, STATUS_OK);
        due_ns[i + 1] = process_at(i)->due_ns;
    }
    due_ns[COUNT + 1] = NOW + 10 * SECOND;
    qsort(due_ns, COUNT + 2, sizeof *due_ns, by_value);
    assert_int_equal(due_ns[0], NOW);
    assert_int_equal(due_ns[COUNT + 1], NOW + 10 * SECOND);
    for (int i = 0; i <= COUNT; i++)
        assert_true(due_ns[i + 1] - due_ns[i] < 27 * 10 * SECOND / 10 / COUNT);
    /* each has its place: then the interval is the interval */
    attempt(process_at(0), NOW + 20 * SECOND, NS_PER_MS, STATUS_OK);
    assert_int_equal(process_at(0)->due_ns, NOW + 30 * SECOND);
}

static void test_max_cpu_of_one(void **state)
{
    (void)state;
    make_scanner("scan: {interval: 10s}\nlimits: {max_cpu: 5%}\n", 1);
    attempt(process_at(0), NOW, SECOND, STATUS_OK);
    assert_int_equal(process_at(0)->due_ns, NOW + 20 * SECOND); /* the first wait too is no shorter */
    schedule_update(scanner);
    assert_int_equal(schedule_interval_ns(scanner, process_at(0)), 20 * SECOND);
    attempt(process_at(0), NOW + 20 * SECOND, 100 * NS_PER_MS, STATUS_OK);
    schedule_update(scanner);
    assert_int_equal(schedule_interval_ns(scanner, process_at(0)), 10 * SECOND);
}

static void test_max_cpu_of_all(void **state)
{
    (void)state;
    make_scanner("scan: {interval: 10s}\nlimits: {max_cpu: 5%}\n", 100);
    for (int i = 0; i < 100; i++)
        attempt(process_at(i), NOW, 50 * NS_PER_MS, STATUS_OK);
    schedule_update(scanner); /* 5 s of work in 10 s: half a core */
    uint64_t interval_ns = schedule_interval_ns(scanner, process_at(7));
    assert_in_range(interval_ns, 100 * SECOND - 1000, 100 * SECOND + 1000);
    for (int i = 10; i < 100; i++)
        process_at(i)->skip = SKIP_LIMIT;
    schedule_update(scanner);
    assert_in_range(schedule_interval_ns(scanner, process_at(7)), 10 * SECOND, 10 * SECOND + 1000);
}

static void test_timeouts_wait_twice_as_long_each_time(void **state)
{
    (void)state;
    make_scanner("scan: {interval: 30s}\nlimits: {max_cpu: 100%}\n", 1);
    struct tracked *process = process_at(0);
    process->resident_bytes = UINT64_C(3) << 30;
    assert_int_equal(schedule_timeout_ns(process), 13 * SECOND);
    for (uint64_t wait = 60; wait < 100000; wait *= 2) {
        uint64_t expected = wait < 3600 ? wait : 3600;
        attempt(process, NOW, 13 * SECOND, STATUS_TIMEOUT);
        assert_int_equal(process->due_ns, NOW + expected * SECOND);
        assert_int_equal(process->result.valid_until_ns, NOW + (13 + 2 * expected + 13) * SECOND);
        assert_int_equal(schedule_timeout_ns(process), 13 * SECOND);
    }
    process->is_spread = true;
    attempt(process, NOW, SECOND, STATUS_OK);
    assert_int_equal(process->due_ns, NOW + 30 * SECOND);
    assert_int_equal(process->result.valid_until_ns, NOW + (1 + 60 + 13) * SECOND);
    attempt(process, NOW, 13 * SECOND, STATUS_TIMEOUT);
    assert_int_equal(process->due_ns, NOW + 60 * SECOND);
    attempt(process, NOW, SECOND, STATUS_PERMISSION);
    assert_int_equal(process->due_ns, NOW + 30 * SECOND);
}

static void test_a_shorter_interval_holds_at_once(void **state)
{
    (void)state;
    make_scanner("scan: {interval: 24h, timeout: 2s}\n", 1);
    struct tracked *process = process_at(0);
    process->is_spread = true;
    process->result.state = PROCESS_STATE_OK;
    attempt(process, NOW, NS_PER_MS, STATUS_OK);
    uint64_t due_ns = process->due_ns;
    assert_false(schedule_adapt(scanner, process, NOW + SECOND));
    process->scan_config.interval_ns = 48 * 3600 * SECOND; /* a longer one: after the scan that is planned */
    assert_false(schedule_adapt(scanner, process, NOW + SECOND));
    assert_int_equal(process->due_ns, due_ns);
    process->scan_config.interval_ns = 10 * SECOND;
    assert_true(schedule_adapt(scanner, process, NOW + 100 * SECOND));
    assert_in_range(process->due_ns, NOW + 100 * SECOND, NOW + 110 * SECOND);
    assert_int_equal(process->result.valid_until_ns, NOW + 122 * SECOND);
    due_ns = process->due_ns;
    assert_false(schedule_adapt(scanner, process, NOW + 101 * SECOND));
    assert_int_equal(process->due_ns, due_ns);
    /* who waits after timeouts goes on to wait */
    process->scan_config.interval_ns = 3600 * SECOND;
    attempt(process, NOW, SECOND, STATUS_TIMEOUT);
    due_ns = process->due_ns;
    process->scan_config.interval_ns = SECOND;
    assert_false(schedule_adapt(scanner, process, NOW + SECOND));
    assert_int_equal(process->due_ns, due_ns);
}

static void test_a_timeout_that_is_set(void **state)
{
    (void)state;
    make_scanner("scan: {timeout: 2s}\n", 1);
    process_at(0)->resident_bytes = UINT64_C(3) << 30;
    assert_int_equal(schedule_timeout_ns(process_at(0)), 2 * SECOND);
}

static void test_what_has_another_malloc_is_looked_at_seldom(void **state)
{
    (void)state;
    make_scanner("scan: {interval: 1m}\n", 1);
    struct tracked *process = process_at(0);
    attempt(process, NOW + SECOND, NS_PER_MS, STATUS_UNSUPPORTED); /* it may not have loaded its libc yet */
    assert_int_equal(process->due_ns, NOW + 6 * SECOND);
    assert_false(process->is_final);
    attempt(process, NOW + 6 * SECOND, NS_PER_MS, STATUS_UNSUPPORTED);
    assert_int_equal(process->due_ns, NOW + 606 * SECOND);
    assert_true(process->is_final);
}

static void test_one_look_without_a_heap_is_not_the_last(void **state)
{
    (void)state;
    make_scanner("scan: {interval: 1m}\n", 1);
    struct tracked *process = process_at(0);
    attempt(process, NOW + 60 * SECOND, NS_PER_MS, STATUS_OK);
    attempt(process, NOW + 120 * SECOND, NS_PER_MS, STATUS_UNSUPPORTED); /* a page could not be brought in */
    assert_int_equal(process->due_ns, NOW + 125 * SECOND);
    assert_false(process->is_final);
    attempt(process, NOW + 125 * SECOND, NS_PER_MS, STATUS_OK);
    attempt(process, NOW + 185 * SECOND, NS_PER_MS, STATUS_UNSUPPORTED);
    assert_false(process->is_final);
    attempt(process, NOW + 190 * SECOND, NS_PER_MS, STATUS_UNSUPPORTED);
    assert_true(process->is_final);
}

static void test_lag(void **state)
{
    (void)state;
    make_scanner("", 3);
    assert_int_equal(schedule_lag_ns(scanner, NOW), 0);
    assert_int_equal(schedule_lag_ns(scanner, NOW + 3 * SECOND), 3 * SECOND);
    process_at(0)->due_ns -= 5 * SECOND; /* but it has only been there since NOW */
    assert_int_equal(schedule_lag_ns(scanner, NOW + 3 * SECOND), 3 * SECOND);
    process_at(0)->first_seen_ns = 0;
    assert_int_equal(schedule_lag_ns(scanner, NOW + 3 * SECOND), 8 * SECOND);
    process_at(0)->is_scanning = true;
    assert_int_equal(schedule_lag_ns(scanner, NOW + 3 * SECOND), 3 * SECOND);
    process_at(1)->skip = process_at(2)->skip = SKIP_LIMIT;
    assert_int_equal(schedule_lag_ns(scanner, NOW + 3 * SECOND), 0);
}

static void test_the_most_overdue_is_next(void **state)
{
    uint64_t next_ns;
    (void)state;
    make_scanner("", 3);
    process_at(0)->due_ns = NOW + 3 * SECOND;
    process_at(1)->due_ns = NOW + 1 * SECOND;
    process_at(2)->due_ns = NOW + 2 * SECOND;
    assert_null(schedule_pick(scanner, NOW, &next_ns));
    assert_int_equal(next_ns, NOW + SECOND);
    assert_ptr_equal(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns), process_at(1));
    process_at(1)->is_scanning = true;
    assert_ptr_equal(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns), process_at(2));
    process_at(2)->skip = SKIP_YOUNG;
    assert_ptr_equal(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns), process_at(0));
    process_at(0)->group = NULL;
    assert_null(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns));
    assert_int_equal(next_ns, UINT64_MAX);
}

static void say(int index, uint64_t until_ns, bool is_suspect)
{
    struct message_quarantine message = {
        .process = process_at(index)->id, .until_ns = until_ns, .is_suspect = is_suspect};
    quarantines_take(&scanner->quarantines, &message, NOW);
}

static void test_who_is_in_quarantine_waits(void **state)
{
    uint64_t next_ns;
    (void)state;
    make_scanner("", 2);
    say(0, NOW + 60 * SECOND, true);
    assert_ptr_equal(schedule_pick(scanner, NOW, &next_ns), process_at(1));
    process_at(1)->due_ns = NOW + 90 * SECOND;
    assert_null(schedule_pick(scanner, NOW + 59 * SECOND, &next_ns));
    assert_int_equal(next_ns, NOW + 60 * SECOND);
    assert_int_equal(schedule_lag_ns(scanner, NOW + 59 * SECOND), 0);
    assert_ptr_equal(schedule_pick(scanner, NOW + 60 * SECOND, &next_ns), process_at(0));
    process_at(0)->id.address_space++; /* it has execed */
    assert_ptr_equal(schedule_pick(scanner, NOW, &next_ns), process_at(0));
}

static void test_nothing_is_scanned_next_to_a_suspect(void **state)
{
    uint64_t next_ns;
    (void)state;
    make_scanner("", 3);
    say(1, 0, true);
    process_at(1)->due_ns = NOW + SECOND;
    process_at(2)->due_ns = NOW + 2 * SECOND;
    assert_ptr_equal(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns), process_at(0));
    process_at(0)->is_scanning = true;
    /* the suspect's turn: it waits until that has ended, and who is due later waits for it */
    assert_null(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns));
    assert_int_equal(next_ns, UINT64_MAX);
    process_at(0)->is_scanning = false;
    process_at(0)->due_ns = NOW + 3 * SECOND;
    assert_ptr_equal(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns), process_at(1));
    process_at(1)->is_scanning = true;
    assert_null(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns));
    process_at(1)->is_scanning = false;
    process_at(1)->due_ns = NOW + 60 * SECOND;
    assert_ptr_equal(schedule_pick(scanner, NOW + 9 * SECOND, &next_ns), process_at(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_spread, end_scanner),
        cmocka_unit_test_teardown(test_max_cpu_of_one, end_scanner),
        cmocka_unit_test_teardown(test_max_cpu_of_all, end_scanner),
        cmocka_unit_test_teardown(test_timeouts_wait_twice_as_long_each_time, end_scanner),
        cmocka_unit_test_teardown(test_a_shorter_interval_holds_at_once, end_scanner),
        cmocka_unit_test_teardown(test_a_timeout_that_is_set, end_scanner),
        cmocka_unit_test_teardown(test_what_has_another_malloc_is_looked_at_seldom, end_scanner),
        cmocka_unit_test_teardown(test_one_look_without_a_heap_is_not_the_last, end_scanner),
        cmocka_unit_test_teardown(test_lag, end_scanner),
        cmocka_unit_test_teardown(test_the_most_overdue_is_next, end_scanner),
        cmocka_unit_test_teardown(test_who_is_in_quarantine_waits, end_scanner),
        cmocka_unit_test_teardown(test_nothing_is_scanned_next_to_a_suspect, end_scanner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
