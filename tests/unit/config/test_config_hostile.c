/* test_config_hostile.c - files that someone made to hurt: each is refused with its place, in bounded time
 * and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/config_text.h"

#define MUTATIONS 600

static void syntax(void **state)
{
    (void)state;
    config_text_refused("scan: {\n",
                        "f:2:1: not YAML: did not find expected node content while parsing a flow node\n");
    config_text_refused("a: b: c\n", "f:1:5: not YAML: mapping values are not allowed in this context\n");
    config_text_refused("process_names: []\n---\nscan: {}\n", "f:2:1: only one document is allowed\n");
    config_text_refused("[a]: 1\n", "f:1:1: a key must be text\n");
    config_text_refused("scan: !!binary aa\n",
                        "f:1:7: tags are not supported, but for !!str, !!seq and !!map\n");
    config_text_refused("scan: {<<: {}}\n",
                        "f:1:8: merge keys (<<) are not supported; write the settings out\n");
}

static void keys_given_twice(void **state)
{
    (void)state;
    config_text_refused(
        "process_names: []\nscan: {interval: 1s, timeout: 1x, \"interval\": 2s}\nprocess_names: []\n",
        "f:2:31: scan.timeout: \"1x\": must be auto or a duration such as 30s or 1h30m, from 10ms to 1h\n"
        "f:2:35: the key \"interval\" is given twice; the first is in line 2\n"
        "f:3:1: the key \"process_names\" is given twice; the first is in line 1\n");
    /* each value is of the first, and nothing leaks */
    config_text_refused(
        "process_names:\n- {comm: [a], name: a, labels: {a: b}, pid_file: /a, name: b, labels: {c: d}, "
        "pid_file: /b}\n",
        "f:2:54: the key \"name\" is given twice; the first is in line 2\n"
        "f:2:63: the key \"labels\" is given twice; the first is in line 2\n"
        "f:2:79: the key \"pid_file\" is given twice; the first is in line 2\n");
}

static void aliases(void **state)
{
    (void)state;
    config_text_refused("scan: *nothing\n", "f:1:7: an alias of an anchor that is not above it\n");
    config_text_refused("scan: &a {timeout: *a}\n", "f:1:20: an alias of what it is itself part of\n");
}

/* Ten lines that mean 10^10 nodes. */
static void alias_bomb(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0};
    buffer_text(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buffer_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            buffer_printf(&text, "%s*a%d", j ? "," : "", i - 1);
        buffer_text(&text, "]\n");
    }
    config_text_refused(buffer_string(&text),
                        "f:5:38: too many values: at most 100000 are allowed, repeated ones included\n");
}

/* A long text repeated: its bytes count. */
static void long_text_repeated(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0}, problems = {0};
    buffer_text(&text, "process_names: [{comm: [&a '");
    for (int i = 0; i < 500000; i++)
        buffer_text(&text, "a");
    buffer_text(&text, "'");
    for (int i = 0; i < 100000; i++)
        buffer_text(&text, ",*a");
    buffer_text(&text, "]}]\n");
    assert_null(config_text_try(text.data, text.length, &problems));
    assert_non_null(strstr(buffer_string(&problems), "too many values"));
}

static void deep(void **state)
{
    (void)state;
    char text[8192];
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    config_text_refused(text, "f:1:21: nested too deeply: at most 20 levels are allowed\n");
    char blocks[4096];
    for (size_t i = 0; i + 1 < sizeof blocks; i++)
        blocks[i] = i % 2 ? ' ' : '-';
    blocks[sizeof blocks - 1] = '\0';
    config_text_refused(blocks, "f:1:41: nested too deeply: at most 20 levels are allowed\n");
    config_text_refused("a: &a [[[[[[[[[[[x]]]]]]]]]]]\nb: [[[[[[[[[[*a]]]]]]]]]]\n",
                        "f:2:14: nested too deeply: at most 20 levels are allowed\n");
}

static void bytes(void **state)
{
    (void)state;
    scoped_buffer struct buffer problems = {0};
    static const char NUL[] = "scan: {}\nab\0cd\n";
    assert_null(config_text_try(NUL, sizeof NUL - 1, &problems));
    assert_string_equal(buffer_string(&problems),
                        "f:2:3: not YAML: control characters are not allowed; the file must be UTF-8 text\n");
    config_text_refused("é: \"\xff\"\n",
                        "f:1:5: not YAML: invalid leading UTF-8 octet; the file must be UTF-8 text\n");
    config_text_refused("a: \x01\n",
                        "f:1:4: not YAML: control characters are not allowed; the file must be UTF-8 text\n");
    config_text_refused("a: \"\\0\"\n", "f:1:4: a NUL byte is not allowed\n");
    buffer_clear(&problems);
    /* UTF-16 is not looked for */
    static const char WIDE[] = "\xff\xfe[\0]\0";
    assert_null(config_text_try(WIDE, sizeof WIDE - 1, &problems));
    config_free(config_text_load("\xef\xbb\xbfprocess_names: []\n"));
    config_free(config_text_load("process_names: []\r\nscan:\r\n  interval: 5s\r\n"));
}

static void huge(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0}, problems = {0};
    config_text_refused(
        "scan: {interval: 99999999999999999999999h}\nlimits: {max_series: 99999999999999999999}\n"
        "process_names: [{pid: [99999999999999999999]}]\n",
        "f:1:18: scan.interval: \"99999999999999999999999h\": must be a duration such as 30s or 1h30m, from "
        "100ms to 24h\n"
        "f:2:22: limits.max_series: \"99999999999999999999\": must be a whole number, from 1000 to 10000000\n"
        "f:3:24: pid: \"99999999999999999999\" must be the number of a process, from 1 to 2147483647\n");
    while (text.length <= 1 << 20)
        buffer_text(&text, "# a comment of many bytes, of which there are too many\n");
    assert_null(config_text_try(text.data, text.length, &problems));
    assert_non_null(strstr(buffer_string(&problems), "f:1:1: the file has "));
}

static void many_keys(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0}, problems = {0};
    for (int i = 0; i < 40000; i++)
        buffer_printf(&text, "k%d: a\n", i);
    assert_null(config_text_try(text.data, text.length, &problems));
    assert_non_null(strstr(buffer_string(&problems), "f:1001:1: too many keys"));
}

/* Each problem is counted, the first 1000 are shown. */
static void many_problems(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0}, problems = {0};
    buffer_text(&text, "process_names:\n");
    for (int i = 0; i < 3000; i++)
        buffer_text(&text, "- {name: same, comm: 1}\n");
    assert_null(config_text_try(text.data, text.length, &problems));
    assert_non_null(strstr(buffer_string(&problems), "f:1001:22: comm must be a list"));
    assert_null(strstr(buffer_string(&problems), "f:1002:"));
    assert_non_null(strstr(buffer_string(&problems), "there are 2000 more problems, which are not shown\n"));
}

static void many_entries_of_one_name(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0};
    buffer_text(&text, "process_names:\n");
    for (int i = 0; i < 10000; i++)
        buffer_text(&text, "- {name: same, comm: [a]}\n");
    struct config *config = config_text_load(buffer_string(&text));
    assert_int_equal(config->entries_count, 10000);
    config_free(config);
    buffer_text(&text, "- {name: same, comm: [a]}\n");
    config_text_refused(buffer_string(&text),
                        "f:2:1: process_names has 10001 entries; at most 10000 are allowed\n");
}

/* Some bytes that compile to 64 KiB, again and again. */
static void patterns_that_grow(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0}, problems = {0};
    buffer_text(&text, "process_names:\n- cmdline: [&a '(?:(?:ab){1,60}){1,60}'");
    for (int i = 0; i < 20000; i++)
        buffer_text(&text, ",*a");
    buffer_text(&text, "]\n");
    assert_null(config_text_try(text.data, text.length, &problems));
    assert_non_null(
        strstr(buffer_string(&problems), "f:2:13: cmdline: the patterns of this file take more than 16 MiB"));
    buffer_clear(&text);
    buffer_clear(&problems);
    buffer_text(&text, "process_names:\n- cmdline: ['");
    for (int i = 0; i < 5000; i++)
        buffer_text(&text, "(");
    buffer_text(&text, "']\n");
    assert_null(config_text_try(text.data, text.length, &problems));
    assert_non_null(strstr(buffer_string(&problems), "f:2:13: cmdline: bad pattern"));
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void mutate(char *text, size_t *length, uint32_t *seed)
{
    static const char SPICE[] = "{}[]:,-&*!|>'\"%@`#\n \t\\0~?\xff\x01<";
    for (uint32_t changes = 1 + next_random(seed) % 8; changes > 0; changes--) {
        size_t at = next_random(seed) % *length;
        size_t cut = 1 + next_random(seed) % 40;
        switch (next_random(seed) % 4) {
        case 0:
            text[at] = SPICE[next_random(seed) % (sizeof SPICE - 1)];
            break;
        case 1:
            text[at] = (char)next_random(seed);
            break;
        case 2:
            if (at + cut < *length) {
                memmove(text + at, text + at + cut, *length - at - cut);
                *length -= cut;
            }
            break;
        default:
            if (at + cut < *length)
                memmove(text + at, text + next_random(seed) % (*length - cut), cut);
            break;
        }
    }
}

static void mutations_of_the_example(void **state)
{
    (void)state;
    char path[512];
    const char *root = getenv("SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/config/malloc_exporter.yml", root ? root : ".");
    scoped_file FILE *file = fopen(path, "re");
    assert_non_null(file);
    static char original[65536], text[65536];
    size_t original_length = fread(original, 1, sizeof original, file);
    assert_in_range(original_length, 100, sizeof original - 1);
    uint32_t seed = 20240229;
    size_t loaded = 0, refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        scoped_buffer struct buffer problems = {0};
        size_t length = original_length;
        memcpy(text, original, length);
        mutate(text, &length, &seed);
        struct config *config = config_text_try(text, length, &problems);
        loaded += config != NULL;
        refused += config == NULL;
        if (!config)
            assert_memory_equal(buffer_string(&problems), "f:", 2);
        config_free(config);
    }
    assert_true(loaded > 20 && refused > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),
        cmocka_unit_test(keys_given_twice),
        cmocka_unit_test(aliases),
        cmocka_unit_test(alias_bomb),
        cmocka_unit_test(long_text_repeated),
        cmocka_unit_test(deep),
        cmocka_unit_test(bytes),
        cmocka_unit_test(huge),
        cmocka_unit_test(many_keys),
        cmocka_unit_test(many_problems),
        cmocka_unit_test(many_entries_of_one_name),
        cmocka_unit_test(patterns_that_grow),
        cmocka_unit_test(mutations_of_the_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
