/* test_reserve.c - memory that was asked for before: zeros, used again, told from malloc's, and finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reserve.h"

#define BYTES ((size_t)1 << 20)

static struct reserve reserve;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(reserve_prepare(&reserve, BYTES, false, NULL), STATUS_OK);
    reserve_enter(&reserve);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reserve_enter(NULL);
    assert_int_equal(reserve.used, 0);
    reserve_deinit(&reserve);
    return 0;
}

static bool is_inside(const void *memory)
{
    return (const uint8_t *)memory >= reserve.data && (const uint8_t *)memory < reserve.data + reserve.room;
}

static void assert_zero(const uint8_t *memory, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(memory[i], 0);
}

static void test_zeros(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        uint8_t *first = reserve_calloc(100, 7), *second = reserve_map(5000, true);
        assert_true(is_inside(first) && is_inside(second));
        assert_int_equal((uintptr_t)first % 16, 0);
        assert_zero(first, 700);
        assert_zero(second, 5000);
        memset(first, 1, 700);
        memset(second, 2, 5000);
        reserve_unmap(second, 5000);
        reserve_free(first);
    }
}

/* What is freed inside waits for what lies above. */
static void test_is_used_again(void **state)
{
    (void)state;
    void *blocks[10];
    for (int i = 0; i < 10; i++)
        blocks[i] = reserve_calloc(1, 1000);
    size_t all = reserve.used;
    reserve_free(blocks[3]);
    reserve_free(blocks[8]);
    assert_int_equal(reserve.used, all);
    reserve_free(blocks[9]);
    assert_int_equal(reserve.used, all / 10 * 8);
    assert_ptr_equal(reserve_calloc(1, 1000), blocks[8]);
    reserve_free(blocks[8]);
    for (int i = 0; i < 8; i++)
        if (i != 3)
            reserve_free(blocks[i]);
    assert_int_equal(reserve.peak, all);
}

static void test_grows(void **state)
{
    (void)state;
    uint8_t *last = reserve_resize(NULL, 0, 10);
    memset(last, 5, 10);
    assert_ptr_equal(reserve_resize(last, 10, 1000), last);
    uint8_t *other = reserve_calloc(1, 10), *moved = reserve_resize(last, 1000, 3000);
    assert_ptr_not_equal(moved, last);
    for (int i = 0; i < 10; i++)
        assert_int_equal(moved[i], 5);
    reserve_free(other);
    reserve_free(moved);
}

/* malloc's memory stays malloc's, and grows into the reserve. */
static void test_is_told_from_malloc(void **state)
{
    (void)state;
    reserve_enter(NULL);
    uint8_t *outside = reserve_calloc(1, 100), *kept = reserve_calloc(1, 100);
    assert_false(is_inside(outside));
    memset(kept, 9, 100);
    reserve_enter(&reserve);
    uint8_t *inside = reserve_resize(kept, 100, 200);
    assert_true(is_inside(inside));
    assert_int_equal(inside[99], 9);
    reserve_free(outside);
    reserve_enter(NULL);
    /* freed behind its time in force */
    reserve_free(inside);
    assert_int_equal(reserve.used, 0);
}

static void test_is_finite(void **state)
{
    (void)state;
    assert_null(reserve_calloc(SIZE_MAX / 2, 4));
    assert_true(reserve.is_exceeded);
    assert_int_equal(reserve_prepare(&reserve, BYTES, false, NULL), STATUS_OK);
    assert_false(reserve.is_exceeded);
    assert_null(reserve_calloc(1, reserve.room));
    assert_null(reserve_calloc(1, SIZE_MAX));
    uint8_t *all = reserve_calloc(1, reserve.room - 64);
    assert_non_null(all);
    assert_null(reserve_resize(all, reserve.room - 64, reserve.room));
    assert_true(reserve.is_exceeded);
    memset(all, 3, reserve.room - 64);
    reserve_free(all);
    /* prepared again it is empty and zero */
    assert_int_equal(reserve_prepare(&reserve, BYTES, false, NULL), STATUS_OK);
    assert_zero(reserve.data, reserve.room);
}

static void test_measures(void **state)
{
    (void)state;
    struct reserve measured = {0};
    assert_int_equal(reserve_prepare(&measured, (size_t)1 << 30, true, NULL), STATUS_OK);
    reserve_enter(&measured);
    void *first = reserve_map((size_t)100 << 20, false), *second = reserve_calloc(1, 1000);
    reserve_free(second);
    reserve_unmap(first, (size_t)100 << 20);
    assert_in_range(measured.peak, ((size_t)100 << 20) + 1000, ((size_t)100 << 20) + 1200);
    reserve_deinit(&measured);
    /* none is in force any more */
    void *outside = reserve_calloc(1, 10);
    assert_false(is_inside(outside));
    reserve_free(outside);
}

static void test_keeps_a_spare(void **state)
{
    (void)state;
    struct spare_map spare = {0};
    reserve_enter(NULL);
    uint8_t *first = spare_map_take(&spare, BYTES), *second = spare_map_take(&spare, BYTES);
    assert_ptr_not_equal(first, second);
    memset(second, 4, BYTES);
    spare_map_give(&spare, first, BYTES);
    spare_map_give(&spare, second, BYTES);
    uint8_t *larger = spare_map_take(&spare, 2 * BYTES);
    assert_zero(larger, 2 * BYTES);
    reserve_unmap(larger, 2 * BYTES);
    reserve_enter(&reserve);
    uint8_t *inside = spare_map_take(&spare, 1000);
    assert_true(is_inside(inside));
    spare_map_give(&spare, inside, 1000);
    reserve_enter(NULL);
    assert_ptr_equal(spare_map_take(&spare, BYTES), second);
    assert_int_equal(second[BYTES - 1], 4);
    spare_map_give(NULL, second, BYTES);
    spare_map_deinit(&spare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_told_from_malloc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_finite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_a_spare, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_measures, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
