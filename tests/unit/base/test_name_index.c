/* test_name_index.c - rows are found by their names, in a few steps however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/name_index.h"

#define ROWS 20000u

static const char *name_of(size_t row)
{
    static char name[32];
    snprintf(name, sizeof name, "group-%zu", row);
    return name;
}

static void finds_each_row_and_no_other(void **state)
{
    (void)state;
    struct name_index index = {0};
    assert_true(name_index_first(&index, "none") == NAME_INDEX_END);
    for (size_t i = ROWS; i-- > 0;)
        assert_true(name_index_put(&index, i, name_of(i)));
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(name_index_first(&index, name_of(i)) == i);
        assert_true(name_index_next(&index, i) == NAME_INDEX_END);
    }
    assert_true(name_index_first(&index, "none") == NAME_INDEX_END);
    name_index_deinit(&index);
}

static void tells_all_rows_of_a_name(void **state)
{
    (void)state;
    struct name_index index = {0};
    for (size_t i = 0; i < 100; i++)
        assert_true(name_index_put(&index, i, i % 3 ? "often" : name_of(i)));
    bool is_told[100] = {false};
    size_t count = 0, at = name_index_first(&index, "often");
    for (; at != NAME_INDEX_END; at = name_index_next(&index, at), count++) {
        assert_true(at < 100 && at % 3 != 0 && !is_told[at]);
        is_told[at] = true;
    }
    assert_int_equal(count, 66);
    name_index_deinit(&index);
}

static void forgets_what_is_removed(void **state)
{
    (void)state;
    struct name_index index = {0};
    assert_false(name_index_remove(&index, 0));
    for (size_t i = 0; i < ROWS; i++)
        assert_true(name_index_put(&index, i, name_of(i)));
    for (size_t i = 0; i < ROWS; i += 2) {
        assert_true(name_index_remove(&index, i));
        assert_false(name_index_remove(&index, i));
    }
    for (size_t i = 0; i < ROWS; i++)
        assert_true(name_index_first(&index, name_of(i)) == (i % 2 ? i : NAME_INDEX_END));
    assert_true(name_index_put(&index, 0, "another"));
    assert_true(name_index_first(&index, "another") == 0);
    assert_true(name_index_first(&index, name_of(0)) == NAME_INDEX_END);
    name_index_deinit(&index);
}

static void a_row_out_of_reach_is_refused(void **state)
{
    (void)state;
    struct name_index index = {0};
    assert_true(name_index_put(&index, 0, "row"));
    assert_false(name_index_put(&index, SIZE_MAX - 1, "row"));
    assert_false(name_index_remove(&index, SIZE_MAX - 1));
    assert_true(name_index_first(&index, "row") == 0);
    name_index_deinit(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_each_row_and_no_other),
        cmocka_unit_test(tells_all_rows_of_a_name),
        cmocka_unit_test(forgets_what_is_removed),
        cmocka_unit_test(a_row_out_of_reach_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
