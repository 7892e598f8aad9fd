/* test_marks.c - the map of marks: what is marked is found, what is not is never asked for, and it goes back
 * empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "allocator/glibc/layout.h"
#include "allocator/glibc/marks.h"

#define MIB (UINT64_C(1) << 20)
#define PAGE_SPAN (UINT64_C(256) << 10) /* of heap by a page of the map, where chunks are 16 bytes apart */
#define START UINT64_C(0x7f0000000010)

static struct glibc_layout layout;
static struct glibc_segment segments[2];
static struct glibc_heap heap;
static struct spare_map spare;

static void lay_out(uint64_t first_bytes, uint64_t second_bytes)
{
    segments[0] = (struct glibc_segment){.start = START, .virtual_bytes = first_bytes};
    segments[1] = (struct glibc_segment){
        .start = START + 0x10000000000, .virtual_start = first_bytes, .virtual_bytes = second_bytes};
    layout = (struct glibc_layout){.alignment = 16, .word_bytes = 8};
    heap = (struct glibc_heap){.layout = &layout, .segments = segments, .segment_count = 2};
}

static int tear_down(void **state)
{
    (void)state;
    spare_map_deinit(&spare);
    return 0;
}

static void test_finds_marks(void **state)
{
    (void)state;
    lay_out(10 * MIB, 10 * MIB);
    struct marks marks;
    assert_int_equal(marks_init(&marks, &heap, NULL, NULL), STATUS_OK);
    marks_begin_slice(&marks, 0);
    const struct glibc_segment *segment = &segments[1];
    uint64_t marked = segment->start + 3 * PAGE_SPAN + 48, end = segment->start + 10 * MIB;
    assert_false(marks_may_be_in(&marks, segment, segment->start, end));
    assert_true(marks_set(&marks, segment, marked, MARK_FASTBIN));
    assert_false(marks_set(&marks, segment, marked, MARK_TCACHE));
    assert_false(marks_set(&marks, segment, marked + 8, MARK_TCACHE));
    assert_false(marks_set(&marks, segment, end, MARK_TCACHE));
    assert_int_equal(marks_get(&marks, segment, marked), MARK_FASTBIN);
    assert_int_equal(marks_get(&marks, segment, marked + 16), MARK_NONE);
    assert_int_equal(marks_next(&marks, segment, segment->start, end), marked);
    assert_int_equal(marks_next(&marks, segment, marked + 16, end), 0);
    assert_int_equal(marks_next(&marks, segment, segment->start, marked), 0);
    assert_int_equal(marks_next(&marks, &segments[0], START, START + 10 * MIB), 0);
    assert_true(marks_may_be_in(&marks, segment, marked, marked + 1));
    assert_true(marks_may_be_in(&marks, segment, segment->start, end));
    assert_false(marks_may_be_in(&marks, segment, segment->start, marked - PAGE_SPAN));
    assert_false(marks_may_be_in(&marks, segment, marked + PAGE_SPAN, end));
    assert_false(marks_may_be_in(&marks, segment, marked, marked));
    marks_deinit(&marks);
}

/* What lies before the slice held, or behind what the map knows of the segment, is no business of its map. */
static void test_asks_within_the_slice(void **state)
{
    (void)state;
    lay_out(MIB, 1200 * MIB);
    struct marks marks;
    assert_int_equal(marks_init(&marks, &heap, NULL, NULL), STATUS_OK);
    assert_int_equal(marks.slice_count, 3);
    const struct glibc_segment *segment = &segments[1];
    uint64_t second = marks_slice_end(&marks, segment, segment->start), end = segment->start + 1200 * MIB;
    marks_begin_slice(&marks, 1);
    assert_false(marks_may_be_in(&marks, segment, second - MIB, second + MIB));
    assert_false(marks_may_be_in(&marks, segment, segment->start, second));
    assert_true(marks_set(&marks, segment, second, MARK_SIDE));
    assert_true(marks_set(&marks, segment, second - 16, MARK_SIDE)); /* counted for its own slice */
    assert_true(marks_may_be_in(&marks, segment, second - MIB, second + MIB));
    assert_false(marks_may_be_in(&marks, segment, segment->start, second));
    marks.is_counted = true;
    marks_begin_slice(&marks, 2);
    assert_true(marks_refill(&marks));
    assert_false(marks_has_any(&marks));
    assert_false(marks_may_be_in(&marks, segment, segment->start, UINT64_MAX));
    assert_false(marks_may_be_in(&marks, segment, end, end + MIB));
    marks_begin_slice(&marks, 0);
    assert_true(marks_refill(&marks));
    assert_false(marks_may_be_in(&marks, segment, second, end));
    assert_true(marks_may_be_in(&marks, segment, second - 16, end));
    assert_int_equal(marks_get(&marks, segment, second - 16), MARK_SIDE);
    assert_int_equal(marks_next(&marks, segment, segment->start, end), second - 16);
    marks_deinit(&marks);
}

static void test_goes_back_empty(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        lay_out(60 * MIB, 60 * MIB);
        struct marks marks;
        assert_int_equal(marks_init(&marks, &heap, &spare, NULL), STATUS_OK);
        const uint64_t *map = marks.map;
        assert_null(spare.memory);
        marks_begin_slice(&marks, 0);
        for (uint64_t at = 0; at < 60 * MIB; at += PAGE_SPAN * 5 / 4)
            assert_true(marks_set(&marks, &segments[round % 2], segments[round % 2].start + at, MARK_SIDE));
        marks_deinit(&marks);
        assert_ptr_equal(spare.memory, map);
        for (size_t i = 0; i < MARKS_MAP_LEAST_BYTES / sizeof *map; i++)
            assert_int_equal(map[i], 0);
    }
}

/* A larger map is not kept, and does not take the place of the one that is. */
static void test_keeps_small_ones_only(void **state)
{
    (void)state;
    lay_out(200 * MIB, MIB);
    struct marks marks;
    assert_int_equal(marks_init(&marks, &heap, &spare, NULL), STATUS_OK);
    marks_begin_slice(&marks, 0);
    assert_true(marks_set(&marks, &segments[1], segments[1].start, MARK_TCACHE));
    const void *kept = spare.memory;
    marks_deinit(&marks);
    assert_ptr_equal(spare.memory, kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_marks),
        cmocka_unit_test(test_asks_within_the_slice),
        cmocka_unit_test(test_goes_back_empty),
        cmocka_unit_test(test_keeps_small_ones_only),
    };
    return cmocka_run_group_tests_name("marks", tests, NULL, tear_down);
}
