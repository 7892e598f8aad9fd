/* test_smaps.c - swapped mappings in the text of smaps, and a view of pages that knows only these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "target/page_view.h"
#include "target/smaps.h"

#define MAPPING(addresses, swap)                                                                \
    addresses " rw-p 00000000 00:00 0                          [heap]\n"                        \
              "Size:                132 kB\nRss:                   4 kB\nSwap:           " swap \
              " kB\nSwapPss:            0 kB\nVmFlags: rd wr mr mw me ac sd \n"

static const char THREE[] =
    MAPPING("1000-3000", "0") MAPPING("3000-5000", "8") MAPPING("7ffff7ffd000-7ffff7fff000", "4");

static void test_rows(void **state)
{
    (void)state;
    struct address_range *rows = NULL;
    size_t count = 0;
    assert_int_equal(smaps_swapped(THREE, sizeof THREE - 1, &rows, &count, NULL), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].start, 0x3000);
    assert_int_equal(rows[0].end, 0x5000);
    assert_int_equal(rows[1].start, 0x7ffff7ffd000);
    free(rows);
    rows = NULL;
    assert_int_equal(smaps_swapped("", 0, &rows, &count, NULL), STATUS_OK);
    assert_int_equal(count, 0);
    /* cut anywhere: refused or fewer rows, never a wrong one */
    for (size_t length = 1; length < sizeof THREE - 1; length++) {
        if (smaps_swapped(THREE, length, &rows, &count, NULL) != STATUS_OK)
            continue;
        assert_true(count <= 2);
        assert_true(count == 0 || rows[0].start == 0x3000);
        free(rows);
    }
}

static void test_broken(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "Swap: 4 kB\n",
        "\n",
        "1000 rw-p 0 0:0 0\n",
        "2000-1000 rw-p 0 0:0 0\n",
        "1000-ffffffffffffffffff rw-p 0 0:0 0\n",
        "3000-4000 rw-p 0 0:0 0\nSwap: 4 kB\n1000-2000 rw-p 0 0:0 0\n",
        "1000-2000 rw-p 0 0:0 0\nSwap: x kB\n",
        "1000-2000 rw-p 0 0:0 0\nSwap: 99999999999999999999999 kB\n",
    };
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
        struct error err = {0};
        struct address_range *rows = NULL;
        size_t count = 0;
        assert_int_equal(smaps_swapped(BROKEN[i], strlen(BROKEN[i]), &rows, &count, &err), STATUS_BAD_DATA);
        assert_non_null(strstr(err.message, "line "));
        assert_null(rows);
    }
}

static enum status refuse(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                          struct error *err)
{
    (void)target, (void)start, (void)pages, (void)states;
    return error_set(err, STATUS_PERMISSION, "no pagemap");
}

static void tell(struct target *target, const struct address_range **ret, size_t *count_ret)
{
    static const struct address_range ROWS[] = {{0x3000, 0x5000}, {0x8000, 0x9000}};
    (void)target;
    *ret = ROWS;
    *count_ret = 2;
}

static void test_view(void **state)
{
    (void)state;
    static const struct target_ops OPS = {.name = "test", .page_states = refuse, .swapped = tell};
    struct target target = {.ops = &OPS, .word_bytes = 8, .page_bytes = 4096};
    struct page_view *view = malloc(sizeof *view);
    assert_non_null(view);
    page_view_init(view, &target, 0x1000);
    assert_int_equal(page_view_state(view, 0x2fff), PAGE_PRESENT);
    assert_int_equal(page_view_state(view, 0x3000), PAGE_SWAPPED);
    assert_int_equal(page_view_state(view, 0x5000), PAGE_PRESENT);
    assert_int_equal(page_view_state(view, 0x9000), PAGE_PRESENT);
    assert_int_equal(page_view_readable_run(view, 0x1010, 0x10000, false), 0x3000 - 0x1010);
    assert_int_equal(page_view_readable_run(view, 0x4000, 0x10000, false), 0);
    assert_int_equal(page_view_readable_run(view, 0x5000, 0x7000, false), 0x2000);
    assert_int_equal(page_view_readable_run(view, 0x5000, 0xf000, false), 0x3000);
    assert_int_equal(page_view_readable_run(view, 0x1000, 0x10000, true), 0xf000);
    free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_broken),
                                       cmocka_unit_test(test_view)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
