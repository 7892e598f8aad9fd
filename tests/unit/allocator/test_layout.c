/* test_layout.c - the rows compose, and a chunk's size gives the bin that glibc puts it in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "allocator/glibc/layout.h"
#include "allocator/glibc/layout_told.h"

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

/* What DWARF of a release would say, as far as its rows say it. */
static struct layout_told told_of(const struct glibc_layout *layout)
{
    struct layout_told told = {.is_known = true};
    const int state[] = {layout->state.fastbins,
                         layout->state.top,
                         layout->state.bins,
                         layout->state.next,
                         layout->state.attached_threads,
                         layout->state.system_mem,
                         layout->state.max_system_mem};
    const int par[] = {layout->par.trim_threshold, layout->par.mmap_threshold, layout->par.arena_max,
                       layout->par.thp_pagesize,   layout->par.hp_pagesize,    layout->par.n_mmaps,
                       layout->par.mmapped_mem,    layout->par.sbrk_base,      layout->par.tcache_count};
    const int heap[] = {layout->heap.ar_ptr, layout->heap.prev, layout->heap.size_field,
                        layout->heap.mprotect_size};
    for (int i = 0; i < 7; i++)
        told.offsets[FIELD_STATE_FASTBINS + i] = state[i];
    for (int i = 0; i < 9; i++)
        told.offsets[FIELD_PAR_TRIM_THRESHOLD + i] = par[i];
    for (int i = 0; i < 4; i++)
        told.offsets[FIELD_HEAP_AR_PTR + i] = heap[i];
    told.offsets[FIELD_TCACHE_ENTRIES] = layout->tcache.entries;
    told.sizes[STRUCT_STATE] = layout->state.size;
    told.sizes[STRUCT_PAR] = layout->par.size;
    told.sizes[STRUCT_HEAP] = layout->heap.size;
    told.sizes[STRUCT_TCACHE] = layout->tcache.size;
    return told;
}

/* Rows of one release corrected by what another one's DWARF says are that one's, whichever moved. */
static void test_told_layout(void **state)
{
    (void)state;
    for (unsigned word = 4; word <= 8; word += 4)
        for (unsigned minor = 31; minor <= 44; minor++) {
            const struct glibc_layout real = composed(minor, word);
            struct glibc_layout layout = composed(minor == 44 ? 31 : 44, word);
            const struct layout_told told = told_of(&real);
            assert_true(layout_told_apply(&told, &layout));
            assert_int_equal(layout.state.bins, real.state.bins);
            assert_int_equal(layout.state.top, real.state.top);
            assert_int_equal(layout.state.system_mem, real.state.system_mem);
            assert_int_equal(layout.state.size, real.state.size);
            assert_int_equal(layout.state.fastbin_count, real.state.fastbin_count);
            assert_int_equal(layout.par.n_mmaps, real.par.n_mmaps);
            assert_int_equal(layout.par.sbrk_base, real.par.sbrk_base);
            assert_int_equal(layout.heap.size, real.heap.size);
            assert_int_equal(layout.tcache.entries, real.tcache.entries);
            assert_int_equal(layout.tcache.bins, real.tcache.bins);
        }
}

static void test_told_lies(void **state)
{
    (void)state;
    const struct glibc_layout real = composed(44, 8);
    const struct layout_told sound = told_of(&real);
    struct layout_told lies[6] = {sound, sound, sound, sound, sound, sound};
    lies[0].is_known = false;
    lies[1].offsets[FIELD_STATE_BINS] = real.state.size - 8;
    lies[2].offsets[FIELD_STATE_SYSTEM_MEM] = -1;
    lies[3].offsets[FIELD_PAR_SBRK_BASE] = real.par.size;
    lies[4].sizes[STRUCT_STATE] = INT32_MAX;
    lies[5].offsets[FIELD_STATE_FASTBINS] = real.state.top + 8;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct glibc_layout layout = real;
        assert_false(layout_told_apply(&lies[i], &layout));
        assert_memory_equal(&layout, &real, sizeof real);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_layout),     cmocka_unit_test(test_told_lies),
        cmocka_unit_test(test_rows_by_release), cmocka_unit_test(test_meanings_that_changed),
        cmocka_unit_test(test_bins_of_64_bit),  cmocka_unit_test(test_bins_of_32_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
