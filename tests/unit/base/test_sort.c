/* test_sort.c - the same order as qsort(3) gives, whatever the rows are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sort.h"

#define ROWS_MAX 300u

struct row {
    uint32_t key;
    uint8_t more[5];
};

static int by_key(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

static void test_order(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (size_t count = 0; count <= ROWS_MAX; count++)
        for (uint32_t keys = 1; keys <= 1000; keys *= 10) {
            struct row rows[ROWS_MAX + 1], expected[ROWS_MAX + 1];
            for (size_t i = 0; i <= count; i++) {
                random = random * 1664525u + 1013904223u;
                uint32_t key = (random >> 8) % keys;
                rows[i] = (struct row){.key = key, .more = {(uint8_t)key, 1, 2, 3, (uint8_t)(key + 1)}};
            }
            memcpy(expected, rows, sizeof rows);
            qsort(expected, count, sizeof *expected, by_key);
            sort_rows(rows, count, sizeof *rows, by_key);
            /* the one behind them too: it is none of them */
            for (size_t i = 0; i <= count; i++) {
                assert_int_equal(rows[i].key, expected[i].key);
                assert_int_equal(rows[i].more[4], (uint8_t)(rows[i].key + 1));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
