/* test_layout.c - the rows compose, and a chunk's size gives the bin that glibc puts it in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "allocator/glibc/layout.h"

static struct glibc_layout composed(unsigned minor, unsigned word)
{
    struct glibc_layout layout;
    assert_true(layout_compose(minor, word, &layout));
    return layout;
}

static void test_rows_by_release(void **state)
{
    (void)state;
    static const struct {
        unsigned minor, word;
        int bins, state_size, n_mmaps, par_size, heap_size, tcache_size;
    } ROWS[] = {
        {17, 8, 0x68, 0x888, 0x28, 0x58, 0x20, 0},     {22, 8, 0x68, 0x888, 0x28, 0x58, 0x20, 0},
        {23, 8, 0x68, 0x890, 0x28, 0x58, 0x20, 0},     {24, 8, 0x68, 0x890, 0x28, 0x50, 0x20, 0},
        {26, 8, 0x68, 0x890, 0x28, 0x70, 0x20, 0x240}, {31, 8, 0x70, 0x898, 0x28, 0x70, 0x20, 0x280},
        {36, 8, 0x70, 0x898, 0x3c, 0x88, 0x30, 0x280}, {42, 8, 0x70, 0x898, 0x3c, 0x88, 0x30, 0x2f8},
        {43, 8, 0x18, 0x840, 0x44, 0x90, 0x30, 0x2f8}, {44, 8, 0x18, 0x840, 0x44, 0x88, 0x30, 0x2f8},
        {25, 4, 0x38, 0x454, 0x14, 0x30, 0x10, 0},     {26, 4, 0x3c, 0x458, 0x14, 0x40, 0x18, 0x140},
        {36, 4, 0x40, 0x45c, 0x20, 0x4c, 0x18, 0x180}, {44, 4, 0x10, 0x42c, 0x24, 0x4c, 0x18, 0x1c8},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct glibc_layout layout = composed(ROWS[i].minor, ROWS[i].word);
        assert_int_equal(layout.state.bins, ROWS[i].bins);
        assert_int_equal(layout.state.size, ROWS[i].state_size);
        assert_int_equal(layout.par.n_mmaps, ROWS[i].n_mmaps);
        assert_int_equal(layout.par.size, ROWS[i].par_size);
        assert_int_equal(layout.heap.size, ROWS[i].heap_size);
        assert_int_equal(layout.tcache.size, ROWS[i].tcache_size);
    }
}

static void test_meanings_that_changed(void **state)
{
    (void)state;
    assert_false(composed(31, 8).tcache.is_mangled);
    assert_true(composed(32, 8).tcache.is_mangled);
    assert_false(composed(41, 8).tcache.counts_are_free_slots);
    assert_true(composed(42, 8).tcache.counts_are_free_slots);
    assert_int_equal(composed(42, 8).state.fastbin_count, 10);
    assert_int_equal(composed(43, 8).state.fastbin_count, 0);
    assert_true(composed(43, 8).mmapped_size_less_header);
    assert_int_equal(composed(22, 8).state.attached_threads, LAYOUT_ABSENT);
    assert_int_equal(composed(25, 4).alignment, 8);
    assert_int_equal(composed(26, 4).alignment, 16);
    /* newer than the newest row takes that row; older than the oldest is refused */
    assert_int_equal(composed(60, 8).state.size, 0x840);
    struct glibc_layout layout;
    assert_false(layout_compose(16, 8, &layout));
    assert_false(layout_compose(36, 2, &layout));
}

struct range {
    uint64_t first, last;
    unsigned bin;
};

static void assert_ranges(const struct glibc_layout *layout, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(layout_bin_index(layout, ranges[i].first), ranges[i].bin);
        assert_int_equal(layout_bin_index(layout, ranges[i].last), ranges[i].bin);
    }
}

static void test_bins_of_64_bit(void **state)
{
    (void)state;
    static const struct range RANGES[] = {{32, 32, 2},           {1008, 1008, 63},      {1024, 1072, 64},
                                          {3072, 3120, 96},      {3136, 3568, 97},      {4096, 4592, 99},
                                          {10240, 10736, 111},   {10752, 12272, 112},   {12288, 16368, 113},
                                          {36864, 40944, 119},   {40960, 65520, 120},   {65536, 98288, 121},
                                          {98304, 131056, 122},  {131072, 163824, 123}, {163840, 262128, 124},
                                          {262144, 524272, 125}, {524288, 1 << 30, 126}};
    struct glibc_layout layout = composed(36, 8);
    assert_ranges(&layout, RANGES, sizeof RANGES / sizeof *RANGES);
    assert_true(layout_is_small(&layout, 1008));
    assert_false(layout_is_small(&layout, 1024));
}

static void test_bins_of_32_bit(void **state)
{
    (void)state;
    static const struct range WIDE[] = {{16, 16, 2},      {992, 992, 63},   {1008, 1008, 64},
                                        {1024, 1072, 65}, {2880, 2928, 94}, {2944, 3056, 96},
                                        {3072, 3568, 97}};
    static const struct range NARROW[] = {{16, 16, 2},      {504, 504, 63},   {512, 568, 64},
                                          {2496, 2552, 95}, {2560, 3064, 96}, {3072, 3576, 97}};
    struct glibc_layout layout = composed(36, 4);
    assert_ranges(&layout, WIDE, sizeof WIDE / sizeof *WIDE);
    layout = composed(25, 4);
    assert_ranges(&layout, NARROW, sizeof NARROW / sizeof *NARROW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_by_release),
        cmocka_unit_test(test_meanings_that_changed),
        cmocka_unit_test(test_bins_of_64_bit),
        cmocka_unit_test(test_bins_of_32_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
