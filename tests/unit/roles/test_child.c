/* test_child.c - when a role that has ended is started again, by a clock that the test sets. */
#include "roles/keeper/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

#define NOW (1000 * NS_PER_SECOND)

/* It ran for @lived_ns and has ended at @now_ns; how long it is not started again. */
static uint64_t wait_after(struct child *child, uint64_t lived_ns, uint64_t now_ns)
{
    child->started_ns = now_ns - lived_ns;
    child_ended(child, now_ns);
    assert_false(child_is_due(child, now_ns));
    assert_false(child_is_due(child, child->restart_ns - 1));
    assert_true(child_is_due(child, child->restart_ns));
    return child->restart_ns - now_ns;
}

static void test_restarts_back_off(void **state)
{
    (void)state;
    struct child child = {.name = "scanner", .control = -1};
    uint64_t expected_ns = 100 * NS_PER_MS;
    for (uint64_t i = 1; i <= 20; i++) {
        assert_int_equal(wait_after(&child, NS_PER_SECOND, NOW), expected_ns);
        assert_int_equal(child.restarts, i);
        expected_ns = expected_ns * 2 < 30 * NS_PER_SECOND ? expected_ns * 2 : 30 * NS_PER_SECOND;
    }
    assert_int_equal(expected_ns, 30 * NS_PER_SECOND);
    /* after a healthy minute it begins anew */
    assert_int_equal(wait_after(&child, 60 * NS_PER_SECOND, NOW), 100 * NS_PER_MS);
    assert_int_equal(wait_after(&child, 59 * NS_PER_SECOND, NOW), 200 * NS_PER_MS);
}

static void test_what_runs_is_not_started(void **state)
{
    (void)state;
    struct child child = {.name = "scanner", .control = -1, .pid = 1234567};
    assert_false(child_is_due(&child, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restarts_back_off),
        cmocka_unit_test(test_what_runs_is_not_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
