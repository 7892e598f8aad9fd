/* test_report.c - a report as JSON and as text: structure, alignment, hostile texts, a reader that goes away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "encode/report.h"

static bool collect(void *context, const char *data, size_t length)
{
    buffer_append(context, data, length);
    return true;
}

static const struct report_column COLUMNS[] = {{"name", "NAME", 6, false},
                                               {"bytes", "BYTES", 8, true},
                                               {"hidden", NULL, 0, false},
                                               {"rest", "REST", 0, false}};

static void write_all(struct report *report)
{
    report_key(report, "pid", NULL);
    report_count(report, 7);
    report_key(report, "verdict", "verdict");
    report_text(report, "a\"b\x1b[31m");
    report_table(report, "rows", COLUMNS, 4);
    report_text(report, "one");
    report_bytes(report, 1536);
    report_bool(report, true);
    report_text(report, NULL);
    report_text(report, "lo\xc3\xb6ng");
    report_bytes(report, 12);
    report_signed(report, -5);
    report_address(report, 0xabc);
    report_table_end(report);
    report_key(report, "hex", "hex");
    report_hex(report, "\x00\xff", 2);
    report_line(report, "%d lines", 2);
}

static void json_is_one_object(void **state)
{
    (void)state;
    struct report *report = malloc(sizeof *report);
    scoped_buffer struct buffer out = {0};
    report_begin(report, REPORT_JSON, collect, &out);
    write_all(report);
    assert_int_equal(report_end(report, NULL), STATUS_OK);
    assert_string_equal(buffer_string(&out),
                        "{\"pid\":7,\"verdict\":\"a\\\"b\\u001b[31m\",\"rows\":[\n"
                        "{\"name\":\"one\",\"bytes\":1536,\"hidden\":true,\"rest\":null},\n"
                        "{\"name\":\"lo\xc3\xb6ng\",\"bytes\":12,\"hidden\":-5,\"rest\":\"0xabc\"}\n"
                        "],\"hex\":\"00ff\"}\n");
    free(report);
}

static void text_is_aligned_and_tame(void **state)
{
    (void)state;
    struct report *report = malloc(sizeof *report);
    scoped_buffer struct buffer out = {0};
    report_begin(report, REPORT_TEXT, collect, &out);
    write_all(report);
    assert_int_equal(report_end(report, NULL), STATUS_OK);
    assert_string_equal(buffer_string(&out), "verdict               a\"b\\x1b[31m\n"
                                             "NAME       BYTES  REST\n"
                                             "one      1.5 KiB  -\n"
                                             "lo\xc3\xb6ng       12 B  0xabc\n"
                                             "hex                   00ff\n"
                                             "2 lines\n");
    free(report);
}

static void an_empty_table_is_an_empty_list(void **state)
{
    (void)state;
    struct report *report = malloc(sizeof *report);
    scoped_buffer struct buffer out = {0};
    report_begin(report, REPORT_JSON, collect, &out);
    report_table(report, "rows", COLUMNS, 4);
    report_table_end(report);
    assert_int_equal(report_end(report, NULL), STATUS_OK);
    assert_string_equal(buffer_string(&out), "{\"rows\":[]}\n");
    free(report);
}

struct reader {
    unsigned blocks_left;
    size_t bytes;
};

static bool go_away(void *context, const char *data, size_t length)
{
    struct reader *reader = context;
    (void)data;
    reader->bytes += length;
    return reader->blocks_left-- > 0;
}

static void a_reader_that_is_gone_ends_it(void **state)
{
    (void)state;
    struct report *report = malloc(sizeof *report);
    struct reader reader = {.blocks_left = 1};
    report_begin(report, REPORT_JSON, go_away, &reader);
    for (int i = 0; i < 100000; i++)
        write_all(report);
    assert_int_equal(report_status(report, NULL), STATUS_STOPPED);
    assert_int_equal(report_end(report, NULL), STATUS_STOPPED);
    assert_int_equal(reader.bytes, 2 * REPORT_BLOCK_BYTES);
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_one_object),
        cmocka_unit_test(text_is_aligned_and_tame),
        cmocka_unit_test(an_empty_table_is_an_empty_list),
        cmocka_unit_test(a_reader_that_is_gone_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
