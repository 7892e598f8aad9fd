/*
 * test_truth.c - the numbers of a scan are those of malloc_info(3) and mallinfo2(3) of the program itself,
 * line by line, and each block that it knows of is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "support/block_list.h"
#include "support/malloc_info_text.h"
#include "support/scan.h"
#include "support/spawn.h"

static struct spawned target;

static int end_target(void **state)
{
    (void)state;
    spawn_end(&target);
    return 0;
}

/* To the byte in each arena: system = states but mmapped + overhead + unread. */
static void assert_arenas_sum(const struct snapshot *snapshot)
{
    const struct arena_numbers *arenas = snapshot_arenas(snapshot);
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        uint64_t sum = arenas[i].overhead_bytes + arenas[i].unread_bytes;
        for (int state = 0; state < CHUNK_MMAPPED; state++) {
            sum += arenas[i].states[state].bytes;
        }
        assert_int_equal(sum, arenas[i].system_bytes);
    }
}

static void assert_reconciled(const struct snapshot *snapshot)
{
    for (int check = 0; check < CHECK_COUNT; check++) {
        const struct check_result *result = &snapshot->numbers.checks[check];
        if (!result->is_known || !result->is_reconciled || result->difference_bytes != 0) {
            fail_msg("check %s: known %d reconciled %d difference %llu", check_name((enum check)check),
                     result->is_known, result->is_reconciled, (unsigned long long)result->difference_bytes);
        }
    }
    assert_int_equal(snapshot->numbers.completeness.unread_bytes, 0);
    assert_int_equal(snapshot->numbers.completeness.corrupt_count, 0);
    assert_true(snapshot->numbers.is_complete);
}

/* What a scan says in sum; @sink NULL: most chunks are only counted, and long lists are told behind the walk.
 */
static void assert_true_sums(enum consistency consistency, struct chunk_sink *sink)
{
    scoped_free char *before = spawn_ask(&target, "info");
    assert_non_null(before);
    struct snapshot *snapshot = scan_once(target.pid, consistency, sink);
    assert_non_null(snapshot);
    scoped_free char *rebuilt = malloc_info_text(snapshot);
    assert_string_equal(rebuilt, before);
    assert_arenas_sum(snapshot);
    assert_reconciled(snapshot);
    snapshot_unref(snapshot);
}

static bool ignore_chunks(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    (void)sink;
    (void)chunks;
    (void)count;
    return true;
}

static void assert_true_numbers(enum consistency consistency)
{
    scoped_free char *blocks = spawn_ask(&target, "list");
    scoped_free char *before = spawn_ask(&target, "info");
    assert_non_null(blocks);
    assert_non_null(before);
    struct block_list list;
    assert_true(block_list_init(&list, blocks));
    struct snapshot *snapshot = scan_once(target.pid, consistency, &list.sink);
    assert_non_null(snapshot);
    scoped_free char *after = spawn_ask(&target, "info");
    assert_string_equal(before, after);

    scoped_free char *rebuilt = malloc_info_text(snapshot);
    assert_string_equal(rebuilt, before);
    assert_arenas_sum(snapshot);
    assert_reconciled(snapshot);
    assert_int_equal(block_list_missing(&list), 0);
    assert_int_equal(list.wrong, 0);
    assert_int_equal(block_list_unnamed(&list, snapshot), 0);
    assert_int_equal(snapshot->numbers.tcaches_missing, 0);
    block_list_deinit(&list);
    snapshot_unref(snapshot);
}

static void assert_program(const char *name, const char *const arguments[])
{
    assert_true(spawn_target(&target, name, arguments));
    assert_true_numbers(CONSISTENCY_SNAPSHOT);
    assert_true_numbers(CONSISTENCY_LIVE);
    assert_true_sums(CONSISTENCY_SNAPSHOT, NULL);
    assert_true_sums(CONSISTENCY_LIVE, NULL);
}

/* Heaps of the benchmark: long lists, in and out of order, by both ways of telling unsorted from binned. */
static void test_shape(void **state)
{
    const char *const arguments[] = {*state, "48", NULL};
    struct chunk_sink each = {.consume = ignore_chunks};
    assert_true(spawn_target(&target, "bench", arguments));
    for (int consistency = CONSISTENCY_LIVE; consistency <= CONSISTENCY_SNAPSHOT; consistency++) {
        if (consistency == CONSISTENCY_SLICED) {
            continue;
        }
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
