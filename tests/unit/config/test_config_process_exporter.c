/*
 * test_config_process_exporter.c - configurations such as process-exporter's documentation, tests and
 * packages have load, and put processes into the groups that it would put them into without -children and
 * with -recheck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/config_text.h"

/* @expected: the group, NULL where no entry takes the process. */
struct row {
    const char *comm, *argv0, *cmdline, *expected;
};

static void assert_groups(const char *text, const struct row *rows, size_t count)
{
    struct config *config = config_text_load(text);
    for (size_t i = 0; i < count; i++) {
        const struct process_facts facts = {.pid = 23,
                                            .comm = rows[i].comm,
                                            .argv0 = rows[i].argv0,
                                            .cmdline = rows[i].cmdline,
                                            .user = "root",
                                            .cwd = "/"};
        struct match_result result;
        bool is_taken = config_match(config, &facts, &result, NULL);
        if (is_taken != (rows[i].expected != NULL))
            fail_msg("%s: %s", rows[i].cmdline, is_taken ? "taken" : "not taken");
        if (is_taken)
            assert_string_equal(result.group, rows[i].expected);
    }
    config_free(config);
}
#define ASSERT_GROUPS(text, rows) assert_groups(text, rows, sizeof(rows) / sizeof *(rows))

/* What the packages and the chart install. */
static void of_the_packages(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"sshd", "sshd: root@pts/0", "sshd: root@pts/0", "sshd"},
        {"cron", "/usr/sbin/cron", "/usr/sbin/cron -f", "cron"},
        {"kthreadd", "", "", NULL},
    };
    ASSERT_GROUPS("process_names:\n  - name: \"{{.Comm}}\"\n    cmdline:\n    - '.+'\n", ROWS);
}

/* The three kinds of selector that its README shows. */
static void of_the_readme(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"bash", "-bash", "-bash", "-bash"},
        {"postgres", "/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/bin/postgres -D /data",
         "postgres"},
        {"prometheus", "/usr/local/bin/prometheus", "/usr/local/bin/prometheus", "prometheus"},
        {"prometheus", "/opt/prometheus", "/opt/prometheus", NULL},
        {"process-exporte", "/usr/local/bin/process-exporter",
         "/usr/local/bin/process-exporter -config.path /etc/pe.yml -threads",
         "/usr/local/bin/process-exporter:/etc/pe.yml"},
        {"process-exporte", "/usr/local/bin/process-exporter", "/usr/local/bin/process-exporter --help",
         NULL},
    };
    ASSERT_GROUPS("process_names:\n"
                  "  - comm: \n"
                  "    - bash\n"
                  "\n"
                  "  - exe: \n"
                  "    - postgres\n"
                  "    - /usr/local/bin/prometheus\n"
                  "\n"
                  "  - name: \"{{.ExeFull}}:{{.Matches.Cfgfile}}\"\n"
                  "    exe: \n"
                  "    - /usr/local/bin/process-exporter\n"
                  "    cmdline: \n"
                  "    - -config.path\\s+(?P<Cfgfile>\\S+)\n",
                  ROWS);
}

static void of_a_desktop(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"chromium-browse", "/usr/lib/chromium", "/usr/lib/chromium --type=renderer", "chromium"},
        {"gvim", "gvim", "gvim x.c", "gvim"},
        {"upstart", "/sbin/upstart", "/sbin/upstart --user", "upstart:-user"},
        {"upstart", "/sbin/upstart", "/sbin/upstart", NULL},
        {"upstart", "upstart", "upstart --user", NULL},
    };
    ASSERT_GROUPS("process_names:\n"
                  "  - comm:\n    - chromium-browse\n    - bash\n    - prometheus\n    - gvim\n"
                  "  - exe:\n    - /sbin/upstart\n    cmdline:\n    - --user\n    name: upstart:-user\n",
                  ROWS);
}

static void of_its_tests_executables(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"bash", "/bin/bash", "/bin/bash", "bash"},
        {"sh", "sh", "sh", "sh"},
        {"ksh", "/bin/ksh", "/bin/ksh", "ksh"},
        {"ksh", "/usr/bin/ksh", "/usr/bin/ksh", NULL},
    };
    ASSERT_GROUPS("process_names:\n  - exe: \n    - bash\n  - exe: \n    - sh\n  - exe: \n    - /bin/ksh\n",
                  ROWS);
}

static void of_its_tests_templates(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"postmaster", "/usr/bin/postmaster", "/usr/bin/postmaster -D /data/pg", "postmaster:pg"},
        {"prometheus", "/usr/local/bin/prometheus", "/usr/local/bin/prometheus",
         "/usr/local/bin/prometheus:23"},
        {"cat", "/bin/cat", "/bin/cat", "1970-01-01 00:00:00 +0000 UTC"},
        {"echo", "/bin/echo", "/bin/echo", "/"},
    };
    ASSERT_GROUPS("process_names:\n"
                  "  - exe: \n"
                  "    - postmaster\n"
                  "    cmdline: \n"
                  "    - \"-D\\\\s+.+?(?P<Path>[^/]+)(?:$|\\\\s)\"\n"
                  "    name: \"{{.ExeBase}}:{{.Matches.Path}}\"\n"
                  "  - exe: \n    - prometheus\n    name: \"{{.ExeFull}}:{{.PID}}\"\n"
                  "  - comm:\n    - cat\n    name: \"{{.StartTime}}\"\n"
                  "  - comm:\n    - echo\n    name: \"{{.Cwd}}\"\n",
                  ROWS);
}

/* Entries may share a name; a list may be given once and repeated by an alias. */
static void shared_names_and_aliases(void **state)
{
    (void)state;
    static const struct row ROWS[] = {
        {"a", "a", "a x", "g"},
        {"b", "b", "b x", "g"},
        {"b", "b", "b", NULL},
    };
    ASSERT_GROUPS("process_names:\n"
                  "- {name: g, comm: [a], cmdline: &patterns ['x']}\n"
                  "- {name: g, comm: [b], cmdline: *patterns}\n",
                  ROWS);
}

static void what_it_refuses(void **state)
{
    (void)state;
    config_text_refused(
        "process_names:\n- name: a\n",
        "f:2:3: the entry has no matcher; give at least one of comm, exe, exe_path, cmdline, user, "
        "unit, cgroup, pid, pid_file\n");
    config_text_refused(
        "process_names:\n- cmdline: ['(?P<a>x']\n",
        "f:2:13: cmdline: bad pattern: missing closing parenthesis, at offset 7 of \"(?P<a>x\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_packages),        cmocka_unit_test(of_the_readme),
        cmocka_unit_test(of_a_desktop),           cmocka_unit_test(of_its_tests_executables),
        cmocka_unit_test(of_its_tests_templates), cmocka_unit_test(shared_names_and_aliases),
        cmocka_unit_test(what_it_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
