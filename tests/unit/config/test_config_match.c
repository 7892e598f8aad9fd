/* test_config_match.c - which entry takes a process: every kind of matcher, exclude, the order, explanations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/config_text.h"

static int32_t pid_in_file(const void *context, const char *path)
{
    (void)context;
    return strcmp(path, "/run/p.pid") == 0 ? 7 : 0;
}

static const struct process_facts FACTS = {
    .pid = 7,
    .own_pid = 1,
    .comm = "server",
    .argv0 = "/usr/bin/server",
    .cmdline = "/usr/bin/server --port 80\nend",
    .exe_path = "/usr/lib/server (deleted)",
    .user = "web",
    .unit = "server.service",
    .cgroups = "1:name=systemd:/other\n0::/kubepods/pod1\n",
    .pid_file_of = pid_in_file,
};

/* One entry of the matchers @yaml: does it take the process? */
static bool takes(const char *yaml, const struct process_facts *facts)
{
    char text[512];
    snprintf(text, sizeof text, "process_names:\n- {name: g, %s}\n", yaml);
    struct config *config = config_text_load(text);
    struct match_result result = {0};
    bool is_taken = config_match(config, facts, &result, NULL);
    if (is_taken) {
        assert_ptr_equal(result.entry, &config->entries[0]);
        assert_string_equal(result.group, "g");
    }
    config_free(config);
    return is_taken;
}

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        bool is_taken;
    } TABLE[] = {
        {"comm: [server]", true},
        {"comm: [x, server]", true},
        {"comm: [serve]", false},
        {"comm: [SERVER]", false},
        {"exe: [server]", true},
        {"exe: [/usr/bin/server]", true},
        {"exe: [/usr/sbin/server, /usr/bin/server]", true},
        {"exe: [/bin/server]", false},
        {"exe: [bin/server]", false},
        {"exe: [usr]", false},
        {"exe_path: [/usr/lib/server]", true},
        {"exe_path: ['/usr/lib/server (deleted)']", true},
        {"exe_path: [/usr/bin/server]", false},
        {"exe_path: [server]", false},
        {"exe_path: [/usr/lib]", false},
        {"cmdline: [port]", true},
        {"cmdline: [port, '80$']", false},
        {"cmdline: [port, 'end$']", true},
        {"cmdline: ['^/usr', '\\d+']", true},
        {"cmdline: ['server.--port', '80.end']", false},
        {"cmdline: ['(?s)80.end']", true},
        {"user: [root, web]", true},
        {"user: [33]", false},
        {"unit: [server.service]", true},
        {"unit: [server]", false},
        {"cgroup: ['^/kubepods']", true},
        {"cgroup: [nothing, other$]", true},
        {"cgroup: ['^0::']", false},
        {"pid: [1]", false},
        {"pid: [1, 7]", true},
        {"pid_file: /run/p.pid", true},
        {"pid_file: /run/q.pid", false},
        {"comm: [server], user: [root]", false},
        {"comm: [server], user: [web], pid: [7]", true},
        {"comm: [server], exclude: {user: [root]}", true},
        {"comm: [server], exclude: {user: [web]}", false},
        {"comm: [server], exclude: {user: [root], cmdline: [port]}", false},
        {"comm: [server], exclude: {cmdline: [port, nothing]}", true},
        {"comm: [server], exclude: {pid_file: /run/p.pid}", false},
        {"comm: [server], min_uptime: 1h", true},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (takes(TABLE[i].yaml, &FACTS) != TABLE[i].is_taken)
            fail_msg("%s: not %s", TABLE[i].yaml, TABLE[i].is_taken ? "taken" : "left");
}

/* What is not known matches nothing but what matches an empty text. */
static void nothing_known(void **state)
{
    (void)state;
    const struct process_facts nothing = {.pid = 3};
    assert_false(takes("comm: [a]", &nothing));
    assert_false(takes("exe: [a]", &nothing));
    assert_false(takes("exe_path: [/a]", &nothing));
    assert_false(takes("cmdline: ['.']", &nothing));
    assert_false(takes("cgroup: ['.*']", &nothing));
    assert_false(takes("pid_file: /run/p.pid", &nothing));
    assert_false(takes("user: [a], unit: [b]", &nothing));
    assert_true(takes("pid: [3]", &nothing));
}

/* A thread of the kernel, or a program that wiped its arguments: process-exporter's exe does not match it. */
static void no_arguments(void **state)
{
    (void)state;
    const struct process_facts facts = {.comm = "server", .cmdline = ""};
    assert_false(takes("exe: [server]", &facts));
    assert_false(takes("cmdline: ['.+']", &facts));
    assert_true(takes("comm: [server]", &facts));
}

static void first_entry_wins(void **state)
{
    (void)state;
    struct config *config = config_text_load("process_names:\n"
                                             "- {name: other, comm: [other]}\n"
                                             "- {name: first, cmdline: [port]}\n"
                                             "- {name: second, comm: [server]}\n");
    struct match_result result;
    assert_true(config_match(config, &FACTS, &result, NULL));
    assert_string_equal(result.group, "first");
    assert_int_equal(result.entry->line, 3);
    config_free(config);
}

static void explanations(void **state)
{
    (void)state;
    scoped_buffer struct buffer why = {0};
    struct match_result result;
    struct config *config = config_text_load("process_names:\n"
                                             "- comm: [nginx]\n"
                                             "- comm: [a, b]\n"
                                             "- exe: [a, b, c, d, e, f, g, h, i, j, k, l]\n"
                                             "- cmdline: [port, 'x+$']\n"
                                             "- comm: [server]\n"
                                             "  exclude: {user: [web]}\n"
                                             "- {comm: [server], pid_file: /run/q.pid}\n"
                                             "- pid: [8]\n"
                                             "- cgroup: [aa, bb]\n"
                                             "- {comm: [server], unit: [\"two\\nlines\"]}\n");
    assert_false(config_match(config, &FACTS, &result, &why));
    assert_string_equal(buffer_string(&why),
                        "entry at line 2: comm is not nginx\n"
                        "entry at line 3: comm is not one of a, b\n"
                        "entry at line 4: exe is not one of a, b, c, d, e, f, g, h, i, j and 2 more\n"
                        "entry at line 5: cmdline does not match 'x+$'\n"
                        "entry at line 6: excluded by user\n"
                        "entry at line 8: pid_file /run/q.pid names no process\n"
                        "entry at line 9: pid is not 8\n"
                        "entry at line 10: cgroup matches none of its patterns, the first is 'aa'\n"
                        "entry at line 11: unit is not two\\x0alines\n");
    config_free(config);
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    const struct process_facts facts = {.comm = "a\xff", .argv0 = "\xc3", .cmdline = "\xff\xfe port \xc3"};
    assert_true(takes("cmdline: [port]", &facts));
    assert_false(takes("cmdline: ['^.port']", &facts));
}

/* A pattern that backtracks without end, on a subject that someone else chose. */
static void work_is_bounded(void **state)
{
    (void)state;
    scoped_buffer struct buffer why = {0};
    struct match_result result;
    struct config *config = config_text_load("process_names: [{cmdline: ['^(a+)+$']}]\n");
    char subject[4001];
    memset(subject, 'a', sizeof subject - 1);
    subject[sizeof subject - 2] = 'b';
    subject[sizeof subject - 1] = '\0';
    const struct process_facts facts = {.comm = "x", .cmdline = subject};
    assert_false(config_match(config, &facts, &result, &why));
    assert_string_equal(buffer_string(&why),
                        "entry at line 1: cmdline takes too many steps to match '^(a+)+$'\n");
    config_free(config);
}

/* Java's command lines; nothing but steps is bounded. */
static void long_command_lines(void **state)
{
    (void)state;
    size_t length = 1 << 20;
    char *subject = malloc(length + 1);
    assert_non_null(subject);
    memset(subject, 'x', length);
    memcpy(subject + length - 10, " -jar a.jb", 10);
    subject[length] = '\0';
    const struct process_facts facts = {.comm = "java", .cmdline = subject};
    assert_true(takes("cmdline: ['-jar\\s+(?P<jar>\\S+)$', 'x.*jb']", &facts));
    free(subject);
}

static void no_file_takes_nothing(void **state)
{
    (void)state;
    struct config *config;
    struct match_result result;
    assert_int_equal(config_default(&config, NULL), STATUS_OK);
    assert_false(config_match(config, &FACTS, &result, NULL));
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(no_arguments),
        cmocka_unit_test(first_entry_wins),
        cmocka_unit_test(explanations),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(long_command_lines),
        cmocka_unit_test(no_file_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
