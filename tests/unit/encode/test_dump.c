/* test_dump.c - records of a dump, byte for byte. */
#include "encode/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static const struct chunk CHUNKS[] = {
    {0x1000, 32, 0, CHUNK_IN_USE, true, 16},
    {0x1020, 4096, 1, CHUNK_TOP, false, 16},
    {0x7f0000000000, 135168, CHUNK_NO_ARENA, CHUNK_MMAPPED, false, 16},
};

static bool collect(void *context, const char *data, size_t length)
{
    buffer_append(context, data, length);
    return true;
}

static bool refuse(void *context, const char *data, size_t length)
{
    (void)context, (void)data, (void)length;
    return false;
}

static void expect(enum dump_format format, struct dump_filter filter, const char *text)
{
    struct buffer buffer = {0};
    struct dump *dump = malloc(sizeof(*dump));
    assert_non_null(dump);
    filter.max_bytes = filter.max_bytes ? filter.max_bytes : UINT64_MAX;
    dump_begin(dump, format, &filter, collect, &buffer);
    dump->sink.consume(&dump->sink, CHUNKS, 3);
    assert_true(dump_end(dump, true, 0));
    assert_string_equal(buffer_string(&buffer), text);
    buffer_deinit(&buffer);
    free(dump);
}

static void records_have_the_fields(void **state)
{
    (void)state;
    expect(DUMP_NDJSON, (struct dump_filter){0},
           "{\"address\":\"0x1000\",\"user_address\":\"0x1010\",\"size\":32,\"state\":\"in_use\",\"arena\":0,"
           "\"prev_in_use\":true}\n"
           "{\"address\":\"0x1020\",\"user_address\":null,\"size\":4096,\"state\":\"top\",\"arena\":1,"
           "\"prev_in_use\":false}\n"
           "{\"address\":\"0x7f0000000000\",\"user_address\":\"0x7f0000000010\",\"size\":135168,"
           "\"state\":\"mmapped\",\"arena\":null,\"prev_in_use\":false}\n"
           "{\"summary\":{\"chunks\":3,\"bytes\":139296,\"complete\":true}}\n");
    expect(DUMP_CSV, (struct dump_filter){0},
           "address,user_address,size,state,arena,prev_in_use\n0x1000,0x1010,32,in_use,0,true\n"
           "0x1020,,4096,top,1,false\n0x7f0000000000,0x7f0000000010,135168,mmapped,,false\n");
}

static void filters_and_limit(void **state)
{
    (void)state;
    expect(DUMP_JSON, (struct dump_filter){.limit = 1},
           "[\n{\"address\":\"0x1000\",\"user_address\":\"0x1010\",\"size\":32,\"state\":\"in_use\","
           "\"arena\":0,\"prev_in_use\":true},\n"
           "{\"summary\":{\"chunks\":1,\"bytes\":32,\"complete\":true,\"limited\":true}}\n]\n");
    expect(DUMP_JSON, (struct dump_filter){.min_bytes = 1 << 20},
           "[\n{\"summary\":{\"chunks\":0,\"bytes\":0,\"complete\":true}}\n]\n");
    expect(DUMP_NDJSON, (struct dump_filter){.has_arena = true, .arena = 0, .states = 1u << CHUNK_TOP},
           "{\"summary\":{\"chunks\":0,\"bytes\":0,\"complete\":true}}\n");
    expect(DUMP_CSV, (struct dump_filter){.min_bytes = 33, .max_bytes = 4096},
           "address,user_address,size,state,arena,prev_in_use\n0x1020,,4096,top,1,false\n");
}

static void says_what_is_missing(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    struct dump_filter filter = {.max_bytes = UINT64_MAX};
    struct dump *dump = malloc(sizeof(*dump));
    assert_non_null(dump);
    dump_begin(dump, DUMP_NDJSON, &filter, collect, &buffer);
    assert_true(dump_end(dump, false, 3));
    assert_string_equal(
        buffer_string(&buffer),
        "{\"summary\":{\"chunks\":0,\"bytes\":0,\"complete\":false,\"tcaches_missing\":3}}\n");
    buffer_deinit(&buffer);
    free(dump);
}

static void a_reader_that_left_ends_the_walk(void **state)
{
    (void)state;
    struct dump *dump = malloc(sizeof(*dump));
    assert_non_null(dump);
    struct dump_filter filter = {.max_bytes = UINT64_MAX};
    dump_begin(dump, DUMP_TEXT, &filter, refuse, NULL);
    struct chunk widest = {UINT64_MAX - 16, UINT64_MAX, UINT32_MAX - 1, CHUNK_UNSORTED, false, 16};
    int rounds = 0;
    while (rounds < 100000 && dump->sink.consume(&dump->sink, &widest, 1))
        rounds++;
    assert_in_range(rounds, 1000, 99999);
    assert_false(dump_end(dump, true, 0));
    free(dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_have_the_fields),
        cmocka_unit_test(filters_and_limit),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(a_reader_that_left_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
