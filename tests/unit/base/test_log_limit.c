/* test_log_limit.c - who logs all the time gets a few lines, many together get many, and what is missing is
 * told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log_limit.h"

static void test_one(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    struct log_held_back held_back;
    for (int i = 0; i < 5; i++) {
        assert_true(log_limit_take(&limit, &held_back));
        assert_null(held_back.key);
    }
    for (int i = 0; i < 7; i++)
        assert_false(log_limit_take(&limit, &held_back));
    limit.rate.full_ns = 0; /* as long after */
    assert_true(log_limit_take(&limit, &held_back));
    assert_string_equal(held_back.key, "held_back");
    assert_string_equal(held_back.value, "7");
    assert_true(log_limit_take(&limit, &held_back));
    assert_null(held_back.key);
}

/* Each new one, as a program that execs all the time is. */
static void test_many(void **state)
{
    (void)state;
    struct log_limit all = {0};
    struct log_held_back held_back;
    unsigned lines = 0;
    for (int i = 0; i < 1000; i++) {
        struct log_limit limit = {0};
        lines += log_limit_take_within(&limit, &all, &held_back);
    }
    assert_in_range(lines, 500, 510); /* some seconds may pass meanwhile */
    struct log_limit limit = {.held_back = 3};
    uint64_t before = all.held_back;
    assert_in_range(before, 490, 500);
    all.rate.full_ns = 0;
    assert_true(log_limit_take_within(&limit, &all, &held_back));
    assert_int_equal(strtoull(held_back.value, NULL, 10), before + 3);
}

/* One that changes all the time takes nothing from the others. */
static void test_one_of_many(void **state)
{
    (void)state;
    struct log_limit all = {0}, restless = {0}, other = {0};
    struct log_held_back held_back;
    unsigned lines = 0;
    for (int i = 0; i < 1000; i++)
        lines += log_limit_take_within(&restless, &all, &held_back);
    assert_int_equal(lines, 5);
    assert_true(log_limit_take_within(&other, &all, &held_back));
    assert_null(held_back.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_one_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
