/* test_config_settings.c - the table of settings: defaults, ranges, words, and the struct that each goes to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/settings.h"

#define SECOND UINT64_C(1000000000)

static void rows_are_sound(void **state)
{
    (void)state;
    union {
        struct config config;
        struct entry entry;
        struct scan_config scan;
    } base;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct setting *row = &SETTINGS[i];
        assert_ptr_equal(setting_find(row->section, row->key), row);
        assert_true(row->help && row->help[0]);
        assert_int_equal(row->min != NULL, row->max != NULL);
        memset(&base, 0, sizeof base);
        if (!setting_set(row, &base, row->default_text, NULL) ||
            (row->min &&
             (!setting_set(row, &base, row->min, NULL) || !setting_set(row, &base, row->max, NULL))))
            fail_msg("%s.%s: default, min or max is not allowed", row->section, row->key);
        assert_false(setting_set(row, &base, "nonsense", NULL));
        assert_false(setting_set(row, &base, "", NULL));
    }
    assert_null(setting_find("scan", "nonsense"));
    assert_null(setting_find("limits", "interval"));
}

/* Section "Configuration" of the README and the example file promise these. */
static void defaults(void **state)
{
    (void)state;
    struct config *config;
    struct error err = {0};
    assert_int_equal(config_default(&config, &err), STATUS_OK);
    assert_int_equal(config->scan.interval_ns, 30 * SECOND);
    assert_int_equal(config->scan.timeout_ns, 0);
    assert_int_equal(config->scan.consistency, 0);
    assert_int_equal(config->scan.max_pause_ns, SECOND / 200);
    assert_int_equal(config->scan.snapshot_max_pause_ns, SECOND);
    assert_false(config->scan.read_swapped);
    assert_int_equal(config->limits.concurrency, 1);
    assert_int_equal(config->limits.scan_threads, 1);
    assert_float_equal(config->limits.max_cpu, 0.05, 1e-6);
    assert_int_equal(config->limits.max_processes, 1000);
    assert_int_equal(config->limits.max_series, 50000);
    assert_int_equal(config->limits.group_ttl_ns, 3600 * SECOND);
    assert_int_equal(config->discovery.interval_ns, 5 * SECOND);
    assert_false(config->metrics.per_arena);
    assert_int_equal(config->metrics.max_arenas, 64);
    assert_false(config->metrics.size_histogram); /* true where there is a file */
    assert_true(config->metrics.residency);
    assert_int_equal(config->api.access, API_AUTHENTICATED);
    assert_false(config->api.memory);
    assert_int_equal(config->api.max_consistency, -1);
    assert_int_equal(config->api.max_streams, 2);
    assert_int_equal(config->api.stream_timeout_ns, 300 * SECOND);
    assert_int_equal(config->api.snapshot_buffer_bytes, 64 << 20);
    assert_true(config->is_default);
    assert_int_equal(config->entries_count, 0);
    config_free(config);
    config_free(NULL);
}

static void edges_of_ranges(void **state)
{
    (void)state;
    struct scan_config scan = {.interval_ns = 1};
    struct config config = {0};
    const struct setting *interval = setting_find("scan", "interval");
    assert_true(setting_set(interval, &scan, "100ms", NULL));
    assert_int_equal(scan.interval_ns, SECOND / 10);
    assert_false(setting_set(interval, &scan, "99999us", NULL));
    assert_true(setting_set(interval, &scan, "24h", NULL));
    assert_false(setting_set(interval, &scan, "86400001ms", NULL));
    assert_int_equal(scan.interval_ns, 24 * 3600 * SECOND);
    const struct setting *series = setting_find("limits", "max_series");
    assert_false(setting_set(series, &config, "999", NULL));
    assert_false(setting_set(series, &config, "4294967297", NULL));
    assert_int_equal(config.limits.max_series, 0);
    const struct setting *cpu = setting_find("limits", "max_cpu");
    assert_false(setting_set(cpu, &config, "0%", NULL));
    assert_false(setting_set(cpu, &config, "5", NULL));
    assert_true(setting_set(cpu, &config, "6400%", NULL));
    assert_float_equal(config.limits.max_cpu, 64, 1e-4);
}

static void words(void **state)
{
    (void)state;
    struct scan_config scan = {.timeout_ns = 1};
    struct config config = {0};
    scoped_buffer struct buffer why = {0};
    assert_true(setting_set(setting_find("scan", "timeout"), &scan, "auto", NULL));
    assert_int_equal(scan.timeout_ns, 0);
    assert_true(setting_set(setting_find("scan", "timeout"), &scan, "2s", NULL));
    assert_int_equal(scan.timeout_ns, 2 * SECOND);
    assert_false(setting_set(setting_find("scan", "interval"), &scan, "auto", NULL));
    assert_true(setting_set(setting_find("scan", "consistency"), &scan, "snapshot", NULL));
    assert_int_equal(scan.consistency, 2);
    assert_false(setting_set(setting_find("scan", "consistency"), &scan, "entry", &why));
    assert_string_equal(buffer_string(&why), "must be live, sliced or snapshot");
    assert_true(setting_set(setting_find("scan", "consistency"), &scan, "sliced", NULL));
    assert_int_equal(scan.consistency, 1);
    assert_true(setting_set(setting_find("api", "max_consistency"), &config, "live", NULL));
    assert_int_equal(config.api.max_consistency, 0);
    assert_true(setting_set(setting_find("api", "max_consistency"), &config, "entry", NULL));
    assert_int_equal(config.api.max_consistency, -1);
    assert_true(setting_set(setting_find("api", "access"), &config, "open", NULL));
    assert_int_equal(config.api.access, API_OPEN);
}

static void allowed_is_said(void **state)
{
    (void)state;
    scoped_buffer struct buffer text = {0};
    setting_allowed(setting_find("scan", "timeout"), &text);
    assert_string_equal(buffer_string(&text), "auto or a duration such as 30s or 1h30m, from 10ms to 1h");
    buffer_clear(&text);
    setting_allowed(setting_find("api", "access"), &text);
    assert_string_equal(buffer_string(&text), "authenticated, local or open");
    buffer_clear(&text);
    setting_keys("metrics", &text);
    assert_string_equal(buffer_string(&text), "per_arena, max_arenas, size_histogram, residency");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),  cmocka_unit_test(defaults),
        cmocka_unit_test(edges_of_ranges), cmocka_unit_test(words),
        cmocka_unit_test(allowed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
