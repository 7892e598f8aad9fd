/*
 * test_scan_threads.c - a process that several threads walk: its numbers are those of malloc_info(3), and its
 * chunks come as one thread tells them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "model/chunk.h"
#include "support/fixture.h"
#include "support/scan.h"
#include "support/truth_check.h"

#define THREADS 3

/* Every chunk, in the order in which it came. */
struct record {
    struct chunk_sink sink;
    struct chunk *chunks;
    size_t count, room;
};

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct record *record = (struct record *)sink;
    while (record->room - record->count < count) {
        record->room = record->room ? record->room * 2 : 4096;
        record->chunks = realloc(record->chunks, record->room * sizeof *record->chunks);
        assert_non_null(record->chunks);
    }
    memcpy(record->chunks + record->count, chunks, count * sizeof *chunks);
    record->count += count;
    return true;
}

static void restart(struct chunk_sink *sink)
{
    ((struct record *)sink)->count = 0;
}

/* @has_list: the program lists its blocks. */
static void assert_true_numbers(enum consistency consistency, unsigned threads, bool has_list)
{
    struct truth_verdict verdict;
    const struct truth_check how = {.consistency = consistency, .threads = threads};
    if (!truth_check_sums(&subject, &how, &verdict)) {
        fail_msg("%u threads, %s, sums: %s", threads, consistency_name(consistency), verdict.why);
    }
    if (has_list && !truth_check_blocks(&subject, &how, &verdict)) {
        fail_msg("%u threads, %s: %s", threads, consistency_name(consistency), verdict.why);
    }
}

static void assert_same(enum consistency consistency, unsigned threads)
{
    struct record one = {.sink = {.consume = consume, .restart = restart}}, many = one;
    struct scan_wish wish = {.consistency = consistency, .sink = &one.sink};
    struct snapshot *first = scan_as(subject.pid, &wish);
    wish.threads = threads;
    wish.sink = &many.sink;
    struct snapshot *second = scan_as(subject.pid, &wish);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(one.count, many.count);
    for (size_t i = 0; i < one.count; i++) {
        assert_int_equal(one.chunks[i].address, many.chunks[i].address);
        assert_int_equal(one.chunks[i].size, many.chunks[i].size);
        assert_int_equal(one.chunks[i].arena, many.chunks[i].arena);
        assert_int_equal(one.chunks[i].state, many.chunks[i].state);
        assert_int_equal(one.chunks[i].prev_in_use, many.chunks[i].prev_in_use);
    }
    assert_memory_equal(first->numbers.states, second->numbers.states, sizeof first->numbers.states);
    assert_int_equal(first->numbers.heaps.resident_bytes, second->numbers.heaps.resident_bytes);
    assert_int_equal(first->numbers.free.resident_bytes, second->numbers.free.resident_bytes);
    assert_int_equal(first->numbers.trimmable_bytes, second->numbers.trimmable_bytes);
    snapshot_unref(first);
    snapshot_unref(second);
    free(one.chunks);
    free(many.chunks);
}

static void assert_program(const char *name, const char *const arguments[], bool has_list)
{
    assert_true(spawn_target(&subject, name, arguments));
    for (int consistency = CONSISTENCY_LIVE; consistency <= CONSISTENCY_SNAPSHOT; consistency++) {
        assert_true_numbers((enum consistency)consistency, THREADS, has_list);
        assert_same((enum consistency)consistency, THREADS);
    }
}

static void test_threads(void **state)
{
    (void)state;
    assert_program("threads", NULL, true);
}

/* Sub-heaps, runs of the main arena, mmapped chunks between them. */
static void test_fragmented(void **state)
{
    (void)state;
    assert_program("fragmented",
                   (const char *const[]){"holes", "subheaps", "sbrk", "memalign", "mmapped", "mremap",
                                         "blocked", "trim", NULL},
                   true);
}

/* Long lists in eight arenas, told behind the walk where only sums are wanted. */
static void test_long_lists(void **state)
{
    (void)state;
    assert_program("bench", (const char *const[]){"threads", "48", NULL}, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_threads, end_subject),
        cmocka_unit_test_teardown(test_fragmented, end_subject),
        cmocka_unit_test_teardown(test_long_lists, end_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
