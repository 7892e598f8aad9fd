/* test_match.c - which entry takes a process, and what its group is called. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct process_facts REDIS = {
    .pid = 42,
    .comm = "redis-server",
    .argv0 = "/usr/bin/redis-server",
    .cmdline = "/usr/bin/redis-server *:6380 --port 6380",
    .exe_path = "/usr/bin/redis-check-rdb",
    .user = "redis",
    .unit = "redis.service",
    .cgroups = "0::/system.slice/redis.service\n",
    .cwd = "/var/lib/redis",
    .container_id = "",
    .pod_uid = "",
};

/* The group that the one entry @entry (YAML) gives @facts; NULL: it does not take it. Until the next call. */
static const char *group_of(const char *entry, const struct process_facts *facts)
{
    static struct match_result match;
    struct config *config = NULL;
    struct error err = {0};
    scoped_buffer struct buffer text = {0};
    scoped_buffer struct buffer problems = {0};
    buffer_printf(&text, "process_names:\n  - %s\n", entry);
    if (config_load("f", text.data, text.length, &config, &problems, &err) != STATUS_OK)
        fail_msg("%s", buffer_string(&problems));
    bool is_taken = config_match(config, facts, &match, NULL);
    config_free(config);
    return is_taken ? match.group : NULL;
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        bool is_taken;
    } CASES[] = {
        {"{comm: [a, redis-server]}", true},
        {"{comm: [redis]}", false},
        {"{exe: [redis-server]}", true},
        {"{exe: [/usr/bin/redis-server]}", true},
        {"{exe: [/bin/redis-server]}", false},
        {"{exe_path: [/usr/bin/redis-check-rdb]}", true},
        {"{exe_path: [/usr/bin/redis-server]}", false},
        {"{cmdline: ['--port \\d+', '6380']}", true},
        {"{cmdline: ['--port \\d+', '6381']}", false},
        {"{cmdline: ['6380$']}", true},
        {"{user: [redis]}", true},
        {"{user: [root]}", false},
        {"{unit: [redis.service]}", true},
        {"{cgroup: ['^/kubepods', '^/system']}", true},
        {"{cgroup: ['^/kubepods']}", false},
        {"{pid: [1, 42]}", true},
        {"{pid: [1]}", false},
        {"{comm: [redis-server], user: [root]}", false},
        {"{comm: [redis-server], exclude: {cmdline: ['6380', 'nothing']}}", true},
        {"{comm: [redis-server], exclude: {cmdline: ['6380']}}", false},
        {"{comm: [redis-server], exclude: {user: [root], comm: [redis-server]}}", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if ((group_of(CASES[i].entry, &REDIS) != NULL) != CASES[i].is_taken)
            fail_msg("%s", CASES[i].entry);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *group;
    } CASES[] = {
        {"{{.ExeBase}}", "redis-server"},
        {"{{ .ExeFull }}", "/usr/bin/redis-server"},
        {"{{.Comm}}-{{.Username}}", "redis-server-redis"},
        {"r:{{.PID}}", "r:42"},
        {"{{.Matches.port}}", "6380"},
        {"{{.Cwd}}{{.Unit}}", "/var/lib/redisredis.service"},
        {"{{.Cgroups}}", "[/system.slice/redis.service]"},
        {"plain", "plain"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char entry[200];
        snprintf(entry, sizeof entry, "{name: '%s', cmdline: ['--port (?P<port>\\d+)']}", CASES[i].name);
        assert_string_equal(group_of(entry, &REDIS), CASES[i].group);
    }
    assert_string_equal(group_of("{comm: [redis-server]}", &REDIS), "redis-server");
}

static void test_hostile_names(void **state)
{
    (void)state;
    struct process_facts facts = REDIS;
    char longest[1000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    facts.comm = "\xff\xfe";
    facts.argv0 = "";
    facts.cmdline = longest;
    assert_string_equal(group_of("{name: '{{.ExeBase}}', pid: [42]}", &facts), "\xef\xbf\xbd\xef\xbf\xbd");
    facts.argv0 = longest;
    const char *group = group_of("{pid: [42]}", &facts);
    assert_true(strlen(group) > 200 && strlen(group) < 256);
}

/* A pattern that would take for ever is none that matches. */
static void test_patterns_are_bounded(void **state)
{
    (void)state;
    struct process_facts facts = REDIS;
    facts.cmdline = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    assert_null(group_of("{cmdline: ['^(a|aa|aaa)*$']}", &facts));
}

static int32_t say_42(const void *context, const char *path)
{
    (void)context;
    return strcmp(path, "/run/redis.pid") == 0 ? 42 : 7;
}

static void test_pid_files(void **state)
{
    (void)state;
    struct process_facts facts = REDIS;
    assert_null(group_of("{pid_file: /run/redis.pid}", &facts));
    facts.pid_file_of = say_42;
    assert_non_null(group_of("{pid_file: /run/redis.pid}", &facts));
    assert_null(group_of("{pid_file: /run/other.pid}", &facts));
}

static void test_the_first_entry_takes(void **state)
{
    (void)state;
    static const char TEXT[] = "process_names:\n  - {name: a, user: [root]}\n  - {name: b, user: [redis]}\n"
                               "  - {name: c, comm: [redis-server]}\n";
    struct config *config = NULL;
    struct match_result match;
    scoped_buffer struct buffer why = {0};
    assert_int_equal(config_load("f", TEXT, sizeof TEXT - 1, &config, &why, NULL), STATUS_OK);
    assert_true(config_match(config, &REDIS, &match, &why));
    assert_string_equal(match.group, "b");
    assert_string_equal(buffer_string(&why), "entry at line 2: does not match by user\n");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_patterns_are_bounded),
        cmocka_unit_test(test_pid_files),     cmocka_unit_test(test_the_first_entry_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
