/* test_maps.c - the text of /proc/PID/maps: every column, hostile lines, looking up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/guard.h"
#include "target/maps.h"

static const char TEXT[] =
    "55d0c0000000-55d0c0001000 r--p 00002000 fe:0a 1234                       /usr/bin/a b (deleted)\n"
    "55d0c0001000-55d0c0022000 rw-p 00000000 00:00 0                          [heap]\n"
    "55d0c0022000-55d0c0023000 rw-p 00000000 00:00 0 \n"
    "7f0000000000-7f0000001000 r-xs 00000000 00:05 7                          /dev/zero (deleted)x\n"
    "7f0000002000-7f0000003000 ---p 00000000 00:00 0\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]";

static enum status parse(const char *text, size_t length, struct maps *ret)
{
    struct error err = {0};
    return maps_parse(guard_copy(text, length), length, ret, &err);
}

static void columns(void **state)
{
    (void)state;
    scoped_maps struct maps maps = {0};
    assert_int_equal(parse(TEXT, strlen(TEXT), &maps), STATUS_OK);
    assert_int_equal(maps.count, 6);
    const struct mapping *row = maps.rows;
    assert_true(row->start == 0x55d0c0000000 && row->end == 0x55d0c0001000 && row->offset == 0x2000);
    assert_true(row->device_major == 0xfe && row->device_minor == 0xa && row->inode == 1234);
    assert_true(row->is_readable && !row->is_writable && !row->is_executable && !row->is_shared);
    assert_true(row->is_deleted);
    assert_string_equal(row->name, "/usr/bin/a b");
    assert_string_equal(row[1].name, "[heap]");
    assert_true(mapping_is_anonymous(&row[1]) && !mapping_is_anonymous(row));
    assert_string_equal(row[2].name, "");
    assert_true(row[3].is_shared && row[3].is_executable && !row[3].is_deleted);
    assert_string_equal(row[4].name, "");
    assert_string_equal(row[5].name, "[vsyscall]");
    assert_true(row[5].end == 0xffffffffff601000);
}

static void lookups(void **state)
{
    (void)state;
    scoped_maps struct maps maps = {0};
    assert_int_equal(parse(TEXT, strlen(TEXT), &maps), STATUS_OK);
    assert_null(maps_find(&maps, 0x55d0bfffffff));
    assert_ptr_equal(maps_find(&maps, 0x55d0c0000000), &maps.rows[0]);
    assert_ptr_equal(maps_find(&maps, 0x55d0c0001000), &maps.rows[1]);
    assert_null(maps_find(&maps, 0x7f0000001000));
    assert_null(maps_find(&maps, UINT64_MAX));
    assert_true(maps_is_writable(&maps, 0x55d0c0021ff8, 16));
    assert_true(maps_is_writable(&maps, 0x55d0c0001000, 0x22000));
    assert_false(maps_is_writable(&maps, 0x55d0c0001000, 0x22001));
    assert_false(maps_is_writable(&maps, 0x55d0c0000ff8, 16));
    assert_false(maps_is_writable(&maps, 0x55d0c0001000, UINT64_MAX));
    struct maps none = {0};
    assert_null(maps_find(&none, 1));
    assert_false(maps_is_writable(&none, 1, 1));
}

static void hostile(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "\n",
        "x\n",
        "1000-2000\n",
        "2000-1000 rw-p 0 0:0 0\n",
        "1000-1000 rw-p 0 0:0 0\n",
        "10000000000000000-2 rw-p 0 0:0 0\n",
        "1000-2000 rwzp 0 0:0 0\n",
        "1000-2000 rw-p 0 100000000:0 0\n",
        "1000-2000 rw-p 0 0:0 99999999999999999999\n",
        "1000-2000 rw-p 0 0:0 0x\n",
        "1000-3000 rw-p 0 0:0 0\n2000-4000 rw-p 0 0:0 0\n",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        struct maps maps = {.count = 77};
        assert_int_equal(parse(BAD[i], strlen(BAD[i]), &maps), STATUS_BAD_DATA);
        assert_int_equal(maps.count, 77);
    }
    struct maps maps;
    assert_int_equal(parse("1-2 rw-p 0 0:0 1 a\0b\n", 21, &maps), STATUS_BAD_DATA);
    for (size_t length = 0; length < strlen(TEXT); length++) {
        scoped_maps struct maps cut = {0};
        (void)!parse(TEXT, length, &cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(lookups),
        cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
