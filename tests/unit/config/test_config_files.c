/* test_config_files.c - the files of config/ load; the example shows every setting with its default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/settings.h"
#include "support/config_text.h"

static char *read_file(const char *name)
{
    char path[512];
    const char *root = getenv("SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/config/%s", root ? root : ".", name);
    scoped_file FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_in_range(fread(text, 1, 65535, file), 1, 65534);
    return text;
}

static void demo(void **state)
{
    (void)state;
    scoped_free char *text = read_file("demo.yml");
    struct config *config = config_text_load(text);
    assert_int_equal(config->entries_count, 1);
    assert_int_equal(config->scan.interval_ns, UINT64_C(5000000000));
    assert_int_equal(config->api.access, API_LOCAL);
    config_free(config);
}

static void example_has_the_defaults(void **state)
{
    (void)state;
    scoped_free char *text = read_file("malloc_exporter.yml");
    struct config *config = config_text_load(text), *expected;
    assert_int_equal(config_default(&expected, NULL), STATUS_OK);
    expected->metrics.size_histogram = true;
    assert_memory_equal(&config->scan, &expected->scan, sizeof config->scan);
    assert_memory_equal(&config->limits, &expected->limits, sizeof config->limits);
    assert_memory_equal(&config->discovery, &expected->discovery, sizeof config->discovery);
    assert_memory_equal(&config->metrics, &expected->metrics, sizeof config->metrics);
    assert_memory_equal(&config->api, &expected->api, sizeof config->api);
    assert_in_range(config->entries_count, 2, 10);
    config_free(config);
    config_free(expected);
}

static void example_has_every_setting(void **state)
{
    (void)state;
    scoped_free char *text = read_file("malloc_exporter.yml");
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        char line[80];
        bool is_entry = strcmp(SETTINGS[i].section, "entry") == 0;
        snprintf(line, sizeof line, "\n%s%s: %s", is_entry ? "    " : "  ", SETTINGS[i].key,
                 SETTINGS[i].default_text);
        if (!strstr(text, line))
            fail_msg("config/malloc_exporter.yml lacks \"%s: %s\"", SETTINGS[i].key,
                     SETTINGS[i].default_text);
    }
}

static void example_groups(void **state)
{
    (void)state;
    scoped_free char *text = read_file("malloc_exporter.yml");
    struct config *config = config_text_load(text);
    struct match_result result;
    struct process_facts cache = {.comm = "memcached", .cmdline = "/usr/bin/memcached -m 64 -p 11211"};
    assert_true(config_match(config, &cache, &result, NULL));
    assert_string_equal(result.group, "memcached-11211");
    cache.cmdline = "/usr/bin/memcached -p 11212 -vv";
    assert_false(config_match(config, &cache, &result, NULL));
    struct process_facts postgres = {.comm = "postgres", .unit = "postgresql.service"};
    assert_true(config_match(config, &postgres, &result, NULL));
    assert_string_equal(result.group, "postgresql.service");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demo),
        cmocka_unit_test(example_has_the_defaults),
        cmocka_unit_test(example_has_every_setting),
        cmocka_unit_test(example_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
