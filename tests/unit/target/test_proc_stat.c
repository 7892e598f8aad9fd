/* test_proc_stat.c - the text of /proc/PID/stat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "support/guard.h"
#include "target/live.h"

#define HEAD "42 (a) R 1 (b\n) S 17 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 -20 0 9 0 "
#define TAIL \
    "77 1000 55 18446744073709551615 100 200 300 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 1 2 3 400 500 600 700 0\n"

static enum status parse(const char *text, size_t length, struct proc_stat *ret)
{
    return proc_stat_parse(guard_copy(text, length), length, ret, NULL);
}

static void fields(void **state)
{
    (void)state;
    static const char text[] = HEAD TAIL;
    struct proc_stat stat = {0};
    assert_int_equal(parse(text, strlen(text), &stat), STATUS_OK);
    assert_string_equal(stat.comm, "a) R 1 (b\n");
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.ppid, 17);
    assert_int_equal(stat.flags, 4194560);
    assert_int_equal(stat.minor_faults, 1);
    assert_int_equal(stat.major_faults, 3);
    assert_int_equal(stat.user_ticks, 5);
    assert_int_equal(stat.system_ticks, 6);
    assert_int_equal(stat.ended_user_ticks, 7);
    assert_int_equal(stat.ended_system_ticks, 8);
    assert_int_equal(stat.num_threads, 9);
    assert_int_equal(stat.start_time_ticks, 77);
    assert_int_equal(stat.virtual_bytes, 1000);
    assert_int_equal(stat.rss_pages, 55);
    assert_int_equal(stat.start_code, 100);
    assert_int_equal(stat.start_stack, 300);
    assert_int_equal(stat.arg_start, 400);
    assert_int_equal(stat.env_start, 600);
}

static void hostile(void **state)
{
    (void)state;
    char text[] = HEAD TAIL;
    size_t whole = (size_t)(strstr(text, " 600 ") - text) + 5;
    struct proc_stat stat;
    for (size_t length = 0; length < whole; length++)
        assert_int_equal(parse(text, length, &stat), STATUS_BAD_DATA);
    static const char *const BAD[] = {
        ")(", "1 (", "1 (a) SS 1", "1 (a) S x " TAIL, HEAD "18446744073709551616 1 1" TAIL, "1 (a)  S 1" TAIL,
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(parse(BAD[i], strlen(BAD[i]), &stat), STATUS_BAD_DATA);
    /* a sound text whose state is no letter */
    char *state_at = strrchr(text, ')') + 2;
    assert_int_equal(parse(text, whole, &stat), STATUS_OK);
    for (int byte = 0; byte < 256; byte++) {
        bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        *state_at = (char)byte;
        if (byte != ' ' && byte != ')')
            assert_int_equal(parse(text, whole, &stat), is_letter ? STATUS_OK : STATUS_BAD_DATA);
    }
}

static void own(void **state)
{
    (void)state;
    struct proc_stat stat;
    assert_int_equal(proc_stat_read("/proc", getpid(), &stat, NULL), STATUS_OK);
    assert_int_equal(stat.ppid, getppid());
    assert_int_equal(stat.state, 'R');
    assert_int_equal(proc_stat_read("/proc", INT32_MAX, &stat, NULL), STATUS_NO_PROCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(hostile),
        cmocka_unit_test(own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
