/* test_stop_share.c - however often clients ask, a process is stopped for them a twentieth of the time at
 * most.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "roles/scanner/stop_share.h"

/* A client that asks each @step_ns for an hour; each stop takes as long as its turn in @stops says. */
static void assert_bounded(uint64_t step_ns, const uint64_t *stops, size_t count)
{
    struct stop_share share = {0};
    uint64_t begin_ns = 77 * NS_PER_SECOND, now_ns = begin_ns, stopped_ns = 0;
    size_t turn = 0;
    while (now_ns < begin_ns + 3600 * NS_PER_SECOND) {
        if (stop_share_take(&share, now_ns) != 0) {
            now_ns += step_ns;
            continue;
        }
        uint64_t stop_ns = stops[turn++ % count];
        now_ns += stop_ns;
        stopped_ns += stop_ns;
        stop_share_give(&share, now_ns, stop_ns);
    }
    /* the run that the last stop is paid with may lie ahead */
    assert_true((stopped_ns - stops[(turn - 1) % count]) * 20 <= now_ns - begin_ns);
    assert_true(turn > count);
}

static void is_bounded(void **state)
{
    static const uint64_t ALIKE[] = {NS_PER_SECOND},
                          MIXED[] = {3 * NS_PER_MS, 60 * NS_PER_SECOND, 1, NS_PER_MS};
    (void)state;
    assert_bounded(NS_PER_MS, ALIKE, 1);
    assert_bounded(7 * NS_PER_MS, MIXED, 4);
}

static void tells_when(void **state)
{
    struct stop_share share = {0};
    (void)state;
    assert_int_equal(stop_share_take(&share, 1000), 0);
    stop_share_give(&share, 3000, 100);
    assert_int_equal(stop_share_take(&share, 3000), 1900);
    assert_int_equal(stop_share_take(&share, 4899), 1);
    assert_int_equal(stop_share_take(&share, 4900), 0);
}

static void one_at_a_time(void **state)
{
    struct stop_share share = {0};
    (void)state;
    assert_int_equal(stop_share_take(&share, 1000), 0);
    assert_int_not_equal(stop_share_take(&share, 1000 + 3600 * NS_PER_SECOND), 0);
    /* it stopped nothing */
    stop_share_give(&share, 2000, 0);
    assert_int_equal(stop_share_take(&share, 2000), 0);
}

static void never_again(void **state)
{
    struct stop_share share = {0};
    (void)state;
    stop_share_give(&share, 3000, UINT64_MAX);
    assert_int_not_equal(stop_share_take(&share, UINT64_MAX - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(tells_when),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(never_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
