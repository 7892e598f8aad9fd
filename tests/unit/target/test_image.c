/* test_image.c - memory made of arrays, and through it the wrappers of target.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/guard.h"
#include "target/image.h"

static uint8_t first[4096], second[4096], third[100];

static struct target *open_image(unsigned word_bytes)
{
    const struct image_segment segments[] = {
        {.address = 0x10000, .length = sizeof first, .data = first, .name = "[heap]"},
        {.address = 0x11000, .length = sizeof second, .data = second},
        {.address = 0x20000, .length = sizeof third, .data = guard_copy(third, sizeof third)},
    };
    struct target *target;
    assert_int_equal(target_image_open(segments, 3, word_bytes, &target, NULL), STATUS_OK);
    return target;
}

static void reads(void **state)
{
    (void)state;
    memset(first, 1, sizeof first);
    memset(second, 2, sizeof second);
    scoped_target struct target *target = open_image(8);
    uint8_t data[8192];
    assert_int_equal(target_read(target, 0x10ff0, data, 64), 64);
    assert_int_equal(data[15], 1);
    assert_int_equal(data[16], 2);
    assert_int_equal(target_read(target, 0x11ff0, data, 64), 16);
    assert_int_equal(target_read(target, 0x20000, data, 4096), sizeof third);
    assert_int_equal(target_read(target, 0x12000, data, 1), 0);
    assert_int_equal(target_read(target, UINT64_MAX - 3, data, 64), 0);
    assert_int_equal(target->read_bytes, 64 + 16 + sizeof third);
    assert_int_equal(target->read_calls, 5);
    uint64_t word;
    assert_int_equal(target_read_word(target, 0x10000, &word), STATUS_OK);
    assert_true(word == 0x0101010101010101);
    assert_int_equal(target_read_word(target, 0x11ffc, &word), STATUS_FAULT);
    scoped_target struct target *narrow = open_image(4);
    assert_int_equal(target_read_word(narrow, 0x11ffc, &word), STATUS_OK);
    assert_true(word == 0x02020202);
}

static void parts(void **state)
{
    (void)state;
    scoped_target struct target *target = open_image(8);
    uint8_t a[8], b[8], c[8];
    struct target_part list[] = {{.address = 0x10000, .data = a, .length = 8},
                                 {.address = 0x12000, .data = b, .length = 8, .is_read = true},
                                 {.address = 0x20000, .data = c, .length = 8}};
    target_read_parts(target, list, 3);
    assert_true(list[0].is_read && !list[1].is_read && list[2].is_read);
    assert_int_equal(target->read_bytes, 16);
}

static void mappings(void **state)
{
    (void)state;
    scoped_target struct target *target = open_image(8);
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    assert_int_equal(maps.count, 3);
    assert_string_equal(maps.rows[0].name, "[heap]");
    assert_string_equal(maps.rows[1].name, "");
    assert_true(maps.rows[2].end == 0x21000 && mapping_is_anonymous(&maps.rows[2]));
    uint8_t states[4];
    assert_int_equal(target_page_states(target, 0x10001, 1, states, NULL), STATUS_USAGE);
    assert_int_equal(target_page_states(target, 0x10000, SIZE_MAX, states, NULL), STATUS_USAGE);
    assert_int_equal(target_page_states(target, 0x10000, 1, states, NULL), STATUS_PERMISSION);
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
}

static void refused(void **state)
{
    (void)state;
    struct target *target;
    const struct image_segment overlap[] = {{.address = 0x1000, .length = 8192, .data = first},
                                            {.address = 0x2000, .length = 1, .data = first}};
    assert_int_equal(target_image_open(overlap, 2, 8, &target, NULL), STATUS_USAGE);
    const struct image_segment wraps = {
        .address = UINT64_MAX & ~UINT64_C(4095), .length = 4096, .data = first};
    assert_int_equal(target_image_open(&wraps, 1, 8, &target, NULL), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(parts),
        cmocka_unit_test(mappings),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
