/*
 * test_truth.c - the numbers of a scan are those of malloc_info(3) and mallinfo2(3) of the program itself,
 * line by line, and each block that it knows of is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/spawn.h"
#include "support/truth_check.h"

static struct spawned target;

static int end_target(void **state)
{
    (void)state;
    spawn_end(&target);
    unsetenv("GLIBC_TUNABLES");
    return 0;
}

static void assert_true_numbers(enum consistency consistency)
{
    struct truth_verdict verdict;
    if (!truth_check_blocks(&target, &(struct truth_check){.consistency = consistency}, &verdict)) {
        fail_msg("%s: %s", consistency_name(consistency), verdict.why);
    }
}

/* What a scan says in sum; @sink NULL: most chunks are only counted, and long lists are told behind the walk.
 */
static void assert_true_sums(enum consistency consistency, struct chunk_sink *sink)
{
    struct truth_verdict verdict;
    if (!truth_check_sums(&target, &(struct truth_check){.consistency = consistency, .sink = sink},
                          &verdict)) {
        fail_msg("%s: %s", consistency_name(consistency), verdict.why);
    }
}

static bool ignore_chunks(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    (void)sink;
    (void)chunks;
    (void)count;
    return true;
}

static void assert_program(const char *name, const char *const arguments[])
{
    assert_true(spawn_target(&target, name, arguments));
    assert_true_numbers(CONSISTENCY_SNAPSHOT);
    assert_true_numbers(CONSISTENCY_SLICED);
    assert_true_numbers(CONSISTENCY_LIVE);
    assert_true_sums(CONSISTENCY_SNAPSHOT, NULL);
    assert_true_sums(CONSISTENCY_SLICED, NULL);
    assert_true_sums(CONSISTENCY_LIVE, NULL);
}

/* Heaps of the benchmark: long lists, in and out of order, by both ways of telling unsorted from binned. */
static void test_shape(void **state)
{
    const char *const arguments[] = {*state, "48", NULL};
    struct chunk_sink each = {.consume = ignore_chunks};
    assert_true(spawn_target(&target, "bench", arguments));
    for (int consistency = CONSISTENCY_LIVE; consistency <= CONSISTENCY_SNAPSHOT; consistency++) {
        assert_true_sums((enum consistency)consistency, NULL);
        assert_true_sums((enum consistency)consistency, &each);
    }
}

static void test_single(void **state)
{
    (void)state;
    assert_program("single", NULL);
}

static void test_threads(void **state)
{
    (void)state;
    assert_program("threads", NULL);
}

/* One situation a test, so that a failure names it. */
static void test_fragmented(void **state)
{
    const char *const arguments[] = {*state, NULL};
    assert_program("fragmented", arguments);
}

static void test_all_together(void **state)
{
    (void)state;
    const char *const arguments[] = {"holes",  "subheaps", "sbrk", "memalign", "mmapped",
                                     "mremap", "blocked",  "trim", NULL};
    assert_program("fragmented", arguments);
}

/* The main arena in mapped runs, in mappings that madvise(2) splits, and with blocks that were never touched.
 */
static void test_tuned(void **state)
{
    const char *const arguments[] = {"holes",  "sbrk",    "memalign", "mmapped",
                                     "mremap", "blocked", "trim",     NULL};
    assert_int_equal(setenv("GLIBC_TUNABLES", *state, 1), 0);
    assert_program("fragmented", arguments);
}

#define TUNED(tunable)                                                                              \
    {                                                                                               \
        "most " tunable, test_tuned, NULL, end_target, (void *)(uintptr_t)("glibc.malloc." tunable) \
    }

#define SITUATION(name)                                                                \
    {                                                                                  \
        "fragmented " name, test_fragmented, NULL, end_target, (void *)(uintptr_t)name \
    }

#define SHAPE(name)                                                         \
    {                                                                       \
        "heap " name, test_shape, NULL, end_target, (void *)(uintptr_t)name \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_single, end_target),
        cmocka_unit_test_teardown(test_threads, end_target),
        SHAPE("small"),
        SHAPE("mixed"),
        SHAPE("threads"),
        SHAPE("unsorted"),
        SHAPE("shuffled"),
        SITUATION("holes"),
        SITUATION("subheaps"),
        SITUATION("sbrk"),
        SITUATION("memalign"),
        SITUATION("mmapped"),
        SITUATION("mremap"),
        SITUATION("blocked"),
        SITUATION("trim"),
        cmocka_unit_test_teardown(test_all_together, end_target),
        TUNED("hugetlb=1"),
        TUNED("hugetlb=2"),
        TUNED("mmap_max=0"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
