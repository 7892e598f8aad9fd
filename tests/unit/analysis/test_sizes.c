/* test_sizes.c - sizes are exact while they can be, and what is not exact says by how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/sizes.h"

static struct sizes sizes;

static void give(uint64_t size, uint32_t arena, uint8_t state)
{
    const struct chunk chunk = {.address = 4096, .size = size, .arena = arena, .state = state};
    assert_true(sizes.sink.consume(&sizes.sink, &chunk, 1));
}

static struct size_list list(uint32_t top)
{
    struct size_list result;
    struct error err = {0};
    assert_int_equal(sizes_list(&sizes, top, &result, &err), STATUS_OK);
    return result;
}

static void test_most_bytes_first(void **state)
{
    (void)state;
    sizes_begin(&sizes, &(struct sizes_filter){0});
    sizes.sink.count_used(&sizes.sink, 0, 32, 10);
    give(1024, 0, CHUNK_SMALL);
    give(65536, 0, CHUNK_LARGE);
    give(1u << 20, CHUNK_NO_ARENA, CHUNK_MMAPPED);
    give(32, 1, CHUNK_TCACHE);
    struct size_list result = list(2);
    assert_int_equal(result.count, 2);
    assert_int_equal(result.rows[0].size, 1u << 20);
    assert_int_equal(result.rows[1].size, 65536);
    assert_int_equal(result.total.chunks, 14);
    assert_int_equal(result.rest.chunks, 12);
    assert_int_equal(result.rest.bytes, 11 * 32 + 1024);
    size_list_deinit(&result);
    result = list(100);
    assert_int_equal(result.count, 4);
    assert_int_equal(result.rows[3].tally.chunks, 11);
    assert_int_equal(result.rows[3].error_bytes, 0);
    assert_int_equal(result.rest.chunks, 0);
    size_list_deinit(&result);
}

static void test_filter_and_restart(void **state)
{
    (void)state;
    sizes_begin(&sizes, &(struct sizes_filter){.states = 1u << CHUNK_IN_USE, .has_arena = true, .arena = 1});
    sizes.sink.count_used(&sizes.sink, 0, 32, 10);
    sizes.sink.count_used(&sizes.sink, 1, 48, 3);
    give(64, 1, CHUNK_SMALL);
    struct size_list result = list(10);
    assert_int_equal(result.count, 1);
    assert_int_equal(result.rows[0].tally.bytes, 3 * 48);
    size_list_deinit(&result);
    sizes.sink.restart(&sizes.sink);
    sizes.sink.count_used(&sizes.sink, 0, 32, 10);
    result = list(10);
    assert_int_equal(result.count + result.total.chunks, 0);
    size_list_deinit(&result);
}

/* More large sizes than counters: what is said holds for each of them, and the heaviest is there. */
static void test_bounds(void **state)
{
    (void)state;
    enum { SIZES = 3 * SIZES_LARGE_MAX };
    static uint64_t counts[SIZES];
    uint32_t random = 7;
    sizes_begin(&sizes, &(struct sizes_filter){0});
    for (size_t i = 0; i < 40000; i++) {
        random = random * 1664525u + 1013904223u;
        size_t size = i % 3 == 0 ? 5 : (random >> 8) % SIZES;
        counts[size]++;
        give(SIZE_LIST_EXACT_BYTES + 16 + size * 16, 0, CHUNK_IN_USE);
    }
    struct size_list result = list(100000);
    uint64_t chunks = result.rest.chunks;
    assert_true(result.count <= SIZES_LARGE_MAX);
    assert_int_equal(result.rows[0].size, SIZE_LIST_EXACT_BYTES + 16 + 5 * 16);
    for (uint32_t i = 0; i < result.count; i++) {
        const struct size_row *row = &result.rows[i];
        uint64_t true_bytes = counts[(row->size - SIZE_LIST_EXACT_BYTES - 16) / 16] * row->size;
        assert_true(row->tally.bytes <= true_bytes && true_bytes <= row->tally.bytes + row->error_bytes);
        assert_int_equal(row->tally.chunks * row->size, row->tally.bytes);
        chunks += row->tally.chunks;
    }
    assert_int_equal(chunks, 40000);
    size_list_deinit(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_most_bytes_first),
        cmocka_unit_test(test_filter_and_restart),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
