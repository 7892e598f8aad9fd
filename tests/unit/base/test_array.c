/* test_array.c - a growing array keeps its rows, and one that cannot grow is left as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"

static void keeps_its_rows(void **state)
{
    (void)state;
    struct row {
        uint64_t a, b;
    } *rows = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_true(array_room(&rows, i, &capacity));
        assert_true(capacity > i);
        rows[i] = (struct row){i, ~i};
    }
    for (size_t i = 0; i < 1000; i++)
        assert_true(rows[i].a == i && rows[i].b == ~i);
    free(rows);
}

static void keeps_its_order(void **state)
{
    (void)state;
    unsigned *rows = NULL;
    size_t count = 0, capacity = 0;
    for (unsigned i = 0; i < 101; i++) {
        unsigned value = i * 37 % 101; /* each once, in no order */
        size_t at = 0;
        while (at < count && rows[at] < value)
            at++;
        assert_true(array_gap(&rows, &count, &capacity, at));
        rows[at] = value;
    }
    assert_int_equal(count, 101);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(rows[i], i);
    free(rows);
}

static void no_room_leaves_all_as_it_was(void **state)
{
    (void)state;
    char *rows = malloc(1), *before = rows;
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t capacity = sizes[i];
        assert_false(array_room(&rows, capacity, &capacity));
        assert_true(rows == before && capacity == sizes[i]);
    }
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_its_rows),
        cmocka_unit_test(keeps_its_order),
        cmocka_unit_test(no_room_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
