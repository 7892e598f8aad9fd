/* test_quarantine.c - who is left alone after deaths and hangs of the scanner. */
#include "roles/keeper/quarantine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct message_process_id A = {.pid = 10, .start_time_ticks = 1, .address_space = 5};
static const struct message_process_id B = {.pid = 11, .start_time_ticks = 2, .address_space = 6};

static size_t left_alone(const struct quarantine *quarantine, uint64_t now_ns)
{
    size_t count = 0;
    struct message_quarantine message;
    for (size_t i = 0; i < quarantine->suspect_count; i++)
        count += quarantine_message(quarantine, i, now_ns, &message) && message.until_ns > now_ns;
    return count;
}

static size_t scanned_alone(const struct quarantine *quarantine, uint64_t now_ns)
{
    size_t count = 0;
    struct message_quarantine message;
    for (size_t i = 0; i < quarantine->suspect_count; i++)
        count += quarantine_message(quarantine, i, now_ns, &message) && message.is_suspect;
    return count;
}

static void test_deaths(void **state)
{
    (void)state;
    struct quarantine *quarantine = calloc(1, sizeof *quarantine);
    struct message_process_id execed = A;
    execed.address_space++;
    quarantine_scan_begin(quarantine, &A);
    quarantine_scanner_died(quarantine, 1000);
    assert_int_equal(left_alone(quarantine, 1001), 0);
    assert_int_equal(scanned_alone(quarantine, 1001), 1);
    quarantine_scan_begin(quarantine, &B);
    quarantine_scan_end(quarantine, &B);
    quarantine_scan_begin(quarantine, &execed);
    quarantine_scanner_died(quarantine, 2000);
    assert_int_equal(left_alone(quarantine, 2001), 0);
    quarantine_scan_begin(quarantine, &A);
    quarantine_scanner_died(quarantine, 3000);
    assert_int_equal(left_alone(quarantine, 3001), 1);
    struct message_quarantine message;
    assert_true(quarantine_message(quarantine, 0, 3001, &message));
    assert_int_equal(message.process.pid, A.pid);
    assert_int_equal(message.failure, FAILURE_CRASHED);
    assert_int_equal(left_alone(quarantine, 3000 + 3600 * NS_PER_SECOND), 0);
    assert_int_equal(scanned_alone(quarantine, 3000 + 3600 * NS_PER_SECOND), 2);
    free(quarantine);
}

static void test_one_death_counts_once(void **state)
{
    (void)state;
    struct quarantine *quarantine = calloc(1, sizeof *quarantine);
    quarantine_scan_begin(quarantine, &A);
    quarantine_scan_begin(quarantine, &B);
    quarantine_scan_begin(quarantine, &A); /* a dump beside the scan */
    quarantine_scanner_died(quarantine, 1000);
    assert_int_equal(left_alone(quarantine, 1001), 0);
    assert_int_equal(scanned_alone(quarantine, 1001), 2);
    /* nobody's fault */
    quarantine_scan_begin(quarantine, &A);
    quarantine_excuse(quarantine);
    quarantine_scanner_died(quarantine, 2000);
    assert_int_equal(left_alone(quarantine, 2001), 0);
    quarantine_scan_begin(quarantine, &A);
    quarantine_scanner_died(quarantine, 3000);
    assert_int_equal(left_alone(quarantine, 3001), 1);
    /* two days later nobody remembers */
    uint64_t later_ns = 48 * 3600 * NS_PER_SECOND;
    quarantine_scan_begin(quarantine, &A);
    quarantine_scanner_died(quarantine, later_ns);
    assert_int_equal(left_alone(quarantine, later_ns + 1), 0);
    free(quarantine);
}

static void test_hangs(void **state)
{
    (void)state;
    struct quarantine *quarantine = calloc(1, sizeof *quarantine);
    struct message_quarantine message;
    uint64_t waits[3];
    for (unsigned i = 0; i < 3; i++) {
        quarantine_scan_begin(quarantine, &A);
        quarantine_scan_begin(quarantine, &B);
        quarantine_stuck(quarantine, &A, 1000);
        quarantine_scanner_died(quarantine, 1000);
        assert_int_equal(quarantine->suspect_count, 1); /* whoever was scanned too is not to blame */
        assert_true(quarantine_message(quarantine, 0, 1001, &message));
        assert_int_equal(message.failure, FAILURE_TIMEOUT);
        waits[i] = message.until_ns - 1000;
    }
    assert_int_equal(waits[1], 2 * waits[0]);
    assert_int_equal(waits[2], 4 * waits[0]);
    quarantine_scan_begin(quarantine, &B);
    quarantine_scanner_died(quarantine, 2000);
    assert_int_equal(scanned_alone(quarantine, 2001), 1); /* that of a death without a word is */
    free(quarantine);
}

static void test_many_suspects(void **state)
{
    (void)state;
    struct quarantine *quarantine = calloc(1, sizeof *quarantine);
    for (int i = 1; i <= 3 * QUARANTINE_SUSPECTS_MAX; i++) {
        struct message_process_id process = {.pid = i};
        quarantine_stuck(quarantine, &process, (uint64_t)i);
    }
    assert_int_equal(quarantine->suspect_count, QUARANTINE_SUSPECTS_MAX);
    assert_int_equal(left_alone(quarantine, NS_PER_SECOND), QUARANTINE_SUSPECTS_MAX);
    free(quarantine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_one_death_counts_once),
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_many_suspects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
