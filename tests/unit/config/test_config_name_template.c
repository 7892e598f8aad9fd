/* test_config_name_template.c - names of groups: every field, what is refused and where, cutting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/utf8.h"
#include "config/config.h"
#include "config/name_template.h"
#include "support/config_text.h"

static const struct process_facts FACTS = {
    .pid = 42,
    .comm = "java",
    .argv0 = "/opt/jdk/bin/java",
    .cmdline = "/opt/jdk/bin/java -jar /srv/shop.jar",
    .user = "www-data",
    .unit = "shop.service",
    .cgroups = "12:cpu,cpuacct:/a\n0::/system.slice/shop.service\nbroken\n",
    .cwd = "/srv",
    .container_id = "abc123",
    .pod_uid = "1-2-3",
    .start_time_seconds = 1700000000.25,
};

static void assert_renders(const char *text, const struct process_facts *facts, const char *expected)
{
    const struct matchers none = {0};
    struct name_template *name = NULL;
    struct error err = {0};
    size_t offset;
    char rendered[256];
    if (name_template_new(text, &name, &offset, &err) != STATUS_OK)
        fail_msg("%s: %s", text, err.message);
    name_template_render(name, facts, &none, rendered);
    assert_string_equal(rendered, expected);
    name_template_free(name);
}

static void fields(void **state)
{
    (void)state;
    assert_renders("plain", &FACTS, "plain");
    assert_renders("{{.Comm}}", &FACTS, "java");
    assert_renders("{{ .ExeBase\t}}", &FACTS, "java");
    assert_renders("{{.ExeFull}}", &FACTS, "/opt/jdk/bin/java");
    assert_renders("{{.Username}}:{{.PID}}", &FACTS, "www-data:42");
    assert_renders("{{.StartTime}}", &FACTS, "2023-11-14 22:13:20.25 +0000 UTC");
    assert_renders("{{.Cgroups}}", &FACTS, "[/a /system.slice/shop.service]");
    assert_renders("<{{.Cwd}}>", &FACTS, "</srv>");
    assert_renders("{{.Unit}}{{.ContainerID}}{{.PodUID}}", &FACTS, "shop.serviceabc1231-2-3");
    assert_renders("a}}b{c}", &FACTS, "a}}b{c}");
}

static void start_times(void **state)
{
    (void)state;
    struct process_facts facts = {.start_time_seconds = 0};
    assert_renders("{{.StartTime}}", &facts, "1970-01-01 00:00:00 +0000 UTC");
    facts.start_time_seconds = 1700000000.5;
    assert_renders("{{.StartTime}}", &facts, "2023-11-14 22:13:20.5 +0000 UTC");
    facts.start_time_seconds = 1700000000.07;
    assert_renders("{{.StartTime}}", &facts, "2023-11-14 22:13:20.07 +0000 UTC");
    facts.start_time_seconds = 1e300;
    assert_renders("x{{.StartTime}}", &facts, "x");
    facts.start_time_seconds = -1;
    assert_renders("x{{.StartTime}}", &facts, "x");
}

/* No argv: comm stands for the executable, as process-exporter has it. Nothing known: nothing rendered. */
static void unknown_facts(void **state)
{
    (void)state;
    const struct process_facts thread = {.comm = "kworker/0:1"}, nothing = {0};
    assert_renders("{{.ExeFull}}", &thread, "kworker/0:1");
    assert_renders("{{.ExeBase}}", &thread, "kworker/0:1");
    assert_renders(
        "x{{.Comm}}{{.ExeBase}}{{.ExeFull}}{{.Username}}{{.Cwd}}{{.Unit}}{{.ContainerID}}{{.PodUID}}",
        &nothing, "x");
    assert_renders("{{.Cgroups}}", &nothing, "[]");
}

static void base_names(void **state)
{
    (void)state;
    static const char *const PATHS[][2] = {{"/bin/bash", "bash"},
                                           {"bash", "bash"},
                                           {"a/b/", "b"},
                                           {"//", "/"},
                                           {"/", "/"},
                                           {"a/", "a"},
                                           {"", "."},
                                           {"/a//", "a"},
                                           {"nginx: worker process", "nginx: worker process"}};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        const struct process_facts facts = {.argv0 = PATHS[i][0]};
        assert_renders("{{.ExeBase}}", &facts, PATHS[i][1]);
    }
}

static void literals(void **state)
{
    (void)state;
    struct name_template *name;
    size_t offset;
    const char *text = NULL;
    assert_int_equal(name_template_new("a name", &name, &offset, NULL), STATUS_OK);
    assert_true(name_template_is_literal(name, &text));
    assert_string_equal(text, "a name");
    name_template_free(name);
    assert_int_equal(name_template_new("{{.Comm}}", &name, &offset, NULL), STATUS_OK);
    assert_false(name_template_is_literal(name, &text));
    name_template_free(name);
    name_template_free(NULL);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
    } BAD[] = {
        {"", 0},
        {"{{.Comm", 0},
        {"ab{{", 2},
        {"{{}}", 0},
        {"x{{.}}", 1},
        {"{{.comm}}", 0},
        {"{{Comm}}", 0},
        {"{{.Comm}}{{.Nope}}", 9},
        {"{{.Matches}}", 0},
        {"{{.Matches.}}", 0},
        {"{{.Matches.a b}}", 0},
        {"{{.Matches.1a}}", 0},
        {"{{- .Comm -}}", 0},
        {"{{.Comm | printf}}", 0},
        {"{{if .Comm}}x{{end}}", 0},
        {"{{/* c */}}", 0},
        {"{{\"}}\"}}", 0},
        {"{{{.Comm}}}", 0},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct name_template *name = NULL;
        struct error err = {0};
        size_t offset = 77;
        if (name_template_new(BAD[i].text, &name, &offset, &err) == STATUS_OK)
            fail_msg("%s is taken", BAD[i].text);
        assert_int_equal(err.status, STATUS_USAGE);
        assert_int_equal(offset, BAD[i].offset);
    }
    char longest[258];
    struct name_template *name;
    size_t offset;
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    assert_int_equal(name_template_new(longest, &name, &offset, NULL), STATUS_USAGE);
    longest[255] = '\0';
    assert_int_equal(name_template_new(longest, &name, &offset, NULL), STATUS_OK);
    name_template_free(name);
}

static void always_utf8_and_cut_at_a_character(void **state)
{
    (void)state;
    char cwd[600] = "";
    const struct process_facts broken = {.comm = "a\xff"
                                                 "b\xc3"};
    assert_renders("{{.Comm}}", &broken,
                   "a\xef\xbf\xbd"
                   "b\xef\xbf\xbd");
    for (size_t i = 0; i < 200; i++)
        strcat(cwd, "é");
    const struct process_facts facts = {.cwd = cwd};
    char expected[256];
    memcpy(expected, cwd, 254);
    expected[254] = '\0';
    assert_renders("{{.Cwd}}", &facts, expected);
}

static void matches(void **state)
{
    (void)state;
    struct config *config = config_text_load(
        "process_names:\n"
        "- name: '{{.Matches.jar}}|{{.Matches.both}}|{{.Matches.absent}}'\n"
        "  cmdline: ['(?P<jar>\\w+)\\.jar', '(?<both>java)', '(?P<both>srv)(?<absent>x)?']\n");
    struct match_result result;
    assert_true(config_match(config, &FACTS, &result, NULL));
    assert_string_equal(result.group, "shop|srv|");
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),        cmocka_unit_test(start_times),
        cmocka_unit_test(unknown_facts), cmocka_unit_test(base_names),
        cmocka_unit_test(literals),      cmocka_unit_test(refused),
        cmocka_unit_test(matches),       cmocka_unit_test(always_utf8_and_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
