/* test_config_values.c - durations, sizes, percentages and numbers: every unit, and what is next to allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/values.h"

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } GOOD[] = {
        {"0", 0},
        {"0s", 0},
        {"7ns", 7},
        {"10us", 10000},
        {"10µs", 10000},
        {"5ms", 5000000},
        {"30s", 30000000000},
        {"1m30s", 90000000000},
        {"1h", 3600000000000},
        {"1.5h", 5400000000000},
        {"0.25s", 250000000},
        {"1d", 86400000000000},
        {"2w", 1209600000000000},
        {"0.0000000019s", 1},
        {"18446744073709551615ns", UINT64_MAX},
    };
    static const char *const BAD[] = {
        "",       "30",
        "s",      "-5s",
        "+5s",    " 5s",
        "5s ",    "5 s",
        "1..5s",  "1.s",
        ".5s",    "5S",
        "1e3s",   "5sm",
        "5s3",    "auto",
        "inf",    "nan",
        "0x1s",   "18446744073709551616ns",
        "30501w", "99999999999999999999s",
        "5 000s", "１s",
    };
    uint64_t ns;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        if (!value_duration(GOOD[i].text, &ns))
            fail_msg("%s is refused", GOOD[i].text);
        assert_int_equal(ns, GOOD[i].ns);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (value_duration(BAD[i], &ns))
            fail_msg("\"%s\" is taken", BAD[i]);
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } GOOD[] = {
        {"0", 0},
        {"4096", 4096},
        {"1KiB", 1024},
        {"64MiB", UINT64_C(64) << 20},
        {"64 MiB", UINT64_C(64) << 20},
        {"3GiB", UINT64_C(3) << 30},
        {"16777215TiB", UINT64_C(16777215) << 40},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const BAD[] = {"",       "MiB",         "64 ",   "64  MiB",
                                      "64MB",   "64M",         "64mib", "-1MiB",
                                      "1.5MiB", "16777216TiB", "0x10",  "18446744073709551616"};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        if (!value_size(GOOD[i].text, &bytes))
            fail_msg("%s is refused", GOOD[i].text);
        assert_int_equal(bytes, GOOD[i].bytes);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (value_size(BAD[i], &bytes))
            fail_msg("\"%s\" is taken", BAD[i]);
}

static void percentages(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",    "5",    "%",           "5 %", "-5%",
                                      "5%%", "0.05", "1234567890%", "5.%", "inf%"};
    double share;
    assert_true(value_percent("5%", &share));
    assert_float_equal(share, 0.05, 1e-6);
    assert_true(value_percent("0.5%", &share));
    assert_float_equal(share, 0.005, 1e-6);
    assert_true(value_percent("250%", &share));
    assert_float_equal(share, 2.5, 1e-6);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (value_percent(BAD[i], &share))
            fail_msg("\"%s\" is taken", BAD[i]);
}

static void words_and_numbers(void **state)
{
    (void)state;
    bool is_true = false;
    uint64_t count;
    assert_true(value_bool("true", &is_true) && is_true);
    assert_true(value_bool("false", &is_true) && !is_true);
    assert_false(value_bool("True", &is_true) || value_bool("1", &is_true) || value_bool("", &is_true));
    assert_true(value_count("18446744073709551615", &count) && count == UINT64_MAX);
    assert_false(value_count("18446744073709551616", &count) || value_count("-1", &count) ||
                 value_count("1.0", &count) || value_count("", &count) || value_count(" 1", &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(percentages),
        cmocka_unit_test(words_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
