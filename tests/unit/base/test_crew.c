/* test_crew.c - each member does what it is given, once, and what it took is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/crew.h"

#define MEMBERS 5u
#define WORK_NS (2 * NS_PER_MS)

static void count(void *context, unsigned member)
{
    ((unsigned *)context)[member]++;
}

static void test_all_work_each_time(void **state)
{
    (void)state;
    struct crew *crew = NULL;
    struct error err = {0};
    unsigned counts[MEMBERS] = {0};
    assert_int_equal(crew_new(MEMBERS, &crew, &err), STATUS_OK);
    for (unsigned round = 1; round <= 100; round++) {
        crew_begin(crew, count, counts);
        crew_await(crew);
        for (unsigned i = 0; i < MEMBERS; i++) {
            assert_int_equal(counts[i], round);
        }
    }
    for (unsigned i = 1; i < MEMBERS; i++) {
        assert_true(crew_tid(crew, i) > 0);
        assert_int_not_equal(crew_tid(crew, i), crew_tid(crew, i - 1));
    }
    crew_free(crew);
}

static void spend(void *context, unsigned member)
{
    (void)context;
    (void)member;
    uint64_t until_ns = clock_thread_cpu_ns() + WORK_NS;
    while (clock_thread_cpu_ns() < until_ns) {
    }
}

/* Of all members, and not the time in which they wait. */
static void test_processor_time(void **state)
{
    (void)state;
    struct crew *crew = NULL;
    struct error err = {0};
    assert_int_equal(crew_new(MEMBERS, &crew, &err), STATUS_OK);
    assert_int_equal(crew_cpu_ns(crew), 0);
    crew_begin(crew, spend, NULL);
    crew_await(crew);
    uint64_t spent_ns = crew_cpu_ns(crew);
    assert_true(spent_ns >= MEMBERS * WORK_NS);
    assert_true(spent_ns < 20 * MEMBERS * WORK_NS);
    crew_free(crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_work_each_time),
                                       cmocka_unit_test(test_processor_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
