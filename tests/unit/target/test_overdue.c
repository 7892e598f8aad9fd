/* test_overdue.c - what counts as late of a thread that sleeps, computes, or waits for a processor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/clock.h"
#include "target/overdue.h"

static uint64_t look(struct overdue *overdue, char state, uint64_t ticks, uint64_t at_ms)
{
    struct proc_stat stat = {.state = state, .user_ticks = ticks / 2, .system_ticks = ticks - ticks / 2};
    return overdue_look(overdue, &stat, at_ms * NS_PER_MS) / NS_PER_MS;
}

static void one_that_sleeps(void **state)
{
    (void)state;
    struct overdue overdue = {0};
    assert_int_equal(look(&overdue, 'D', 7, 1000), 0);
    assert_int_equal(look(&overdue, 'D', 7, 1500), 500);
    assert_int_equal(look(&overdue, 'S', 7, 1700), 700);
    assert_int_equal(look(&overdue, 'T', 7, 2000), 1000);
}

static void one_that_computes(void **state)
{
    (void)state;
    uint64_t ticks_a_second = (uint64_t)sysconf(_SC_CLK_TCK);
    struct overdue overdue = {0};
    look(&overdue, 'R', 0, 1000);
    assert_int_equal(look(&overdue, 'R', ticks_a_second, 2000), 1000);
    /* half of the time only */
    assert_int_equal(look(&overdue, 'R', 2 * ticks_a_second, 4000), 2000);
}

static void one_that_waits_for_a_processor(void **state)
{
    (void)state;
    struct overdue overdue = {0};
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(look(&overdue, 'R', 7, 1000 + i * 1000), 0);
    assert_int_equal(look(&overdue, 'S', 8, 101000), 1000);
}

static void whoever_looks_may_have_stood_still(void **state)
{
    (void)state;
    struct overdue overdue = {0};
    look(&overdue, 'S', 7, 1000);
    assert_int_equal(look(&overdue, 'S', 7, 3600000), OVERDUE_LOOK_MAX_NS / NS_PER_MS);
}

static void one_that_cannot_be_read(void **state)
{
    (void)state;
    struct overdue overdue = {0};
    assert_int_equal(overdue_look(&overdue, NULL, NS_PER_SECOND), 0);
    assert_int_equal(overdue_look(&overdue, NULL, 2 * NS_PER_SECOND), NS_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_sleeps),
        cmocka_unit_test(one_that_computes),
        cmocka_unit_test(one_that_waits_for_a_processor),
        cmocka_unit_test(whoever_looks_may_have_stood_still),
        cmocka_unit_test(one_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
