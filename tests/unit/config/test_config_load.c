/* test_config_load.c - what a file sets, and each kind of error with its place, several in one run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "config/name_template.h"
#include "support/config_text.h"

#define SECOND UINT64_C(1000000000)
#define ENTRY "process_names: [{comm: [a]}]\n"

static void every_section(void **state)
{
    (void)state;
    struct config *config = config_text_load("process_names:\n"
                                             "  - comm: [a]\n"
                                             "    scan: {timeout: 7s, consistency: snapshot}\n"
                                             "  - comm: [b]\n"
                                             "    min_uptime: 60s\n"
                                             "    children: true\n"
                                             "    identify_by: none\n"
                                             "    labels: {zone: z, team: 7}\n"
                                             "api: {access: open, memory: true, max_consistency: snapshot}\n"
                                             "metrics: {per_arena: true}\n"
                                             "limits: {max_cpu: 10%, group_ttl: 0s}\n"
                                             "discovery:\n"
                                             "scan: {interval: 1m, read_swapped: true}\n");
    assert_false(config->is_default);
    assert_true(config->metrics.size_histogram);
    assert_true(config->metrics.per_arena);
    assert_int_equal(config->api.access, API_OPEN);
    assert_true(config->api.memory);
    assert_int_equal(config->api.max_consistency, 2);
    assert_float_equal(config->limits.max_cpu, 0.1, 1e-6);
    assert_int_equal(config->limits.group_ttl_ns, 0);
    assert_int_equal(config->discovery.interval_ns, 5 * SECOND);
    assert_int_equal(config->entries_count, 2);
    const struct entry *first = &config->entries[0], *second = &config->entries[1];
    /* scan stands below the entries, and still is what they begin with */
    assert_int_equal(first->scan.interval_ns, 60 * SECOND);
    assert_int_equal(first->scan.timeout_ns, 7 * SECOND);
    assert_int_equal(first->scan.consistency, 2);
    assert_true(first->scan.read_swapped);
    assert_int_equal(second->scan.timeout_ns, 0);
    assert_int_equal(second->scan.consistency, 0);
    assert_int_equal(first->line, 2);
    assert_int_equal(second->line, 4);
    assert_int_equal(first->identify_by, IDENTIFY_PID);
    assert_int_equal(first->min_uptime_ns, 0);
    assert_int_equal(second->min_uptime_ns, 60 * SECOND);
    assert_true(second->children);
    assert_int_equal(second->identify_by, IDENTIFY_NONE);
    assert_int_equal(second->labels_count, 2);
    assert_string_equal(second->labels[0].name, "team");
    assert_string_equal(second->labels[0].value, "7");
    assert_string_equal(second->labels[1].name, "zone");
    config_free(config);
}

static void every_matcher(void **state)
{
    (void)state;
    struct config *config = config_text_load("process_names:\n"
                                             "  - name: n\n"
                                             "    comm: [a, 1]\n"
                                             "    exe: [b]\n"
                                             "    exe_path: [/c]\n"
                                             "    cmdline: ['d', 'e']\n"
                                             "    user: [root]\n"
                                             "    unit: [f.service]\n"
                                             "    cgroup: ['^/g']\n"
                                             "    pid: [1, 2147483647]\n"
                                             "    pid_file: /h\n"
                                             "    exclude: {comm: [i], pid_file: /j}\n");
    const struct entry *entry = &config->entries[0];
    const char *name;
    assert_true(name_template_is_literal(entry->name, &name));
    assert_string_equal(name, "n");
    assert_int_equal(entry->match.comm.count, 2);
    assert_string_equal(entry->match.comm.items[1], "1");
    assert_string_equal(entry->match.exe.items[0], "b");
    assert_string_equal(entry->match.exe_path.items[0], "/c");
    assert_int_equal(entry->match.cmdline.count, 2);
    assert_string_equal(entry->match.user.items[0], "root");
    assert_string_equal(entry->match.unit.items[0], "f.service");
    assert_int_equal(entry->match.cgroup.count, 1);
    assert_int_equal(entry->match.pids[1], 2147483647);
    assert_string_equal(entry->match.pid_file, "/h");
    assert_string_equal(entry->exclude.comm.items[0], "i");
    assert_string_equal(entry->exclude.pid_file, "/j");
    config_free(config);
}

/* All of them, in the order of the file, though sections are read before entries. */
static void many_errors_in_one_run(void **state)
{
    (void)state;
    config_text_refused(
        "process_names:\n"
        "  - comm: bash\n"
        "    cmdline: ['a(b', \"c)\"]\n"
        "  - name: 'x-{{.Nonsense}}'\n"
        "    comm: [x]\n"
        "    colour: red\n"
        "  - name: lonely\n"
        "scan:\n"
        "  interval: 5\n"
        "  consistency: exact\n"
        "limit: {}\n",
        "f:2:11: comm must be a list, as [a, b], not text\n"
        "f:3:15: cmdline: bad pattern: missing closing parenthesis, at offset 3 of \"a(b\"\n"
        "f:3:22: cmdline: bad pattern: unmatched closing parenthesis, at offset 1 of \"c)\"\n"
        "f:4:14: name: {{.Nonsense}} is not supported; there are {{.Comm}}, {{.ExeBase}}, {{.ExeFull}}, "
        "{{.Username}}, {{.PID}}, {{.StartTime}}, {{.Cgroups}}, {{.Cwd}}, {{.Matches.NAME}}, {{.Unit}}, "
        "{{.ContainerID}} and {{.PodUID}}\n"
        "f:6:5: unknown key \"colour\" in an entry; there are name, comm, exe, exe_path, cmdline, user, "
        "unit, cgroup, "
        "pid, pid_file, exclude, labels, scan, min_uptime, children, identify_by\n"
        "f:7:5: the entry has no matcher; give at least one of comm, exe, exe_path, cmdline, user, unit, "
        "cgroup, pid, "
        "pid_file\n"
        "f:9:13: scan.interval: \"5\": must be a duration such as 30s or 1h30m, from 100ms to 24h\n"
        "f:10:16: scan.consistency: \"exact\": must be live, sliced or snapshot\n"
        "f:11:1: unknown key \"limit\"; there are scan, limits, discovery, metrics, api and process_names\n");
}

static void wrong_types(void **state)
{
    (void)state;
    config_text_refused(
        "scan: 5\n"
        "limits: [a]\n"
        "metrics: {per_arena: yes please, residency: [true], max_arenas: }\n"
        "api: {snapshot_buffer: 64MB, max_streams: -1}\n"
        "process_names: {comm: [a]}\n",
        "f:1:7: scan must be a map of keys and values, not text\n"
        "f:2:9: limits must be a map of keys and values, not a list\n"
        "f:3:22: metrics.per_arena: \"yes please\": must be true or false\n"
        "f:3:45: metrics.residency must be true or false, not a list\n"
        "f:3:65: metrics.max_arenas must be a whole number, from 1 to 65536, not nothing\n"
        "f:4:24: api.snapshot_buffer: \"64MB\": must be a size such as 64MiB, or a number of bytes, from "
        "64KiB to 64GiB\n"
        "f:4:43: api.max_streams: \"-1\": must be a whole number, from 1 to 64\n"
        "f:5:16: process_names must be a list, as [a, b], not a map\n");
    config_text_refused(
        "process_names:\n- a\n-\n- comm: [[a], null]\n  pid: [0, 2147483648]\n  pid_file: run/x\n"
        "  children: 1\n  exclude: [a]\n  cgroup: []\n  labels: a\n",
        "f:2:3: an entry of process_names must be a map of keys and values, not text\n"
        "f:3:2: an entry of process_names must be a map of keys and values, not nothing\n"
        "f:4:10: each item of comm must be a single value, not a list\n"
        "f:4:15: each item of comm must be a single value, not nothing\n"
        "f:5:9: pid: \"0\" must be the number of a process, from 1 to 2147483647\n"
        "f:5:12: pid: \"2147483648\" must be the number of a process, from 1 to 2147483647\n"
        "f:6:13: pid_file: \"run/x\" must be an absolute path\n"
        "f:7:13: children: \"1\": must be true or false\n"
        "f:8:12: exclude must be a map of keys and values, not a list\n"
        "f:9:11: cgroup is an empty list, which no process can match; leave cgroup out\n"
        "f:10:11: labels must be a map of keys and values, not text\n");
}

static void label_names(void **state)
{
    (void)state;
    config_text_refused(
        "process_names:\n"
        "- comm: [a]\n"
        "  labels: {pid: a, 1a: b, __x: c, good: [d], 'o-k': e, instance: f, pod_uid: g}\n",
        "f:3:12: labels: \"pid\" is reserved, as are names that begin with __; choose another\n"
        "f:3:20: labels: \"1a\" is no name of a label; letters, digits and _ are allowed, no digit first\n"
        "f:3:27: labels: \"__x\" is reserved, as are names that begin with __; choose another\n"
        "f:3:41: the value of a label must be a single value, not a list\n"
        "f:3:46: labels: \"o-k\" is no name of a label; letters, digits and _ are allowed, no digit first\n"
        "f:3:56: labels: \"instance\" is reserved, as are names that begin with __; choose another\n"
        "f:3:69: labels: \"pod_uid\" is reserved, as are names that begin with __; choose another\n");
}

static void entries_of_one_group(void **state)
{
    (void)state;
    config_text_refused(
        "process_names:\n"
        "- {name: g, comm: [a], labels: {x: 1, y: 2}}\n"
        "- {name: h, comm: [a], labels: {x: 2}}\n"
        "- {name: g, comm: [b], labels: {y: 2, x: 1}}\n"
        "- {name: g, comm: [c], labels: {x: 1}}\n"
        "- {name: g, comm: [d], labels: {x: 1, y: 2}, identify_by: none}\n"
        "- {name: '{{.Comm}}', comm: [g], labels: {z: 1}}\n"
        "- {name: '{{.Comm}}', comm: [h]}\n",
        "f:5:3: the group \"g\" has other labels in the entry at line 2; they must be equal\n"
        "f:6:3: the group \"g\" has another identify_by in the entry at line 2; they must be equal\n");
}

static void matches_of_no_pattern(void **state)
{
    (void)state;
    config_text_refused("process_names:\n"
                        "- name: a-{{.Matches.there}}-{{ .Matches.gone }}\n"
                        "  cmdline: ['(?P<there>x)']\n",
                        "f:2:30: name: no pattern of this entry's cmdline has the group (?P<gone>…)\n");
}

static void names_default(void **state)
{
    (void)state;
    struct config *config =
        config_text_load("process_names:\n- comm: [a]\n- {comm: [b], name: }\n- {comm: [c], name: ''}\n");
    const struct process_facts facts = {.comm = "b", .argv0 = "/usr/bin/bee"};
    struct match_result result;
    assert_true(config_match(config, &facts, &result, NULL));
    assert_string_equal(result.group, "bee");
    assert_ptr_equal(result.entry, &config->entries[1]);
    config_free(config);
}

static void nothing_to_scan(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"",        "# only a comment\n",  "---\n",           "{}\n",
                                        "scan:\n", "process_names: []\n", "process_names:\n"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct config *config = config_text_load(TEXTS[i]);
        assert_int_equal(config->entries_count, 0);
        assert_int_equal(config->scan.interval_ns, 30 * SECOND);
        assert_true(config->metrics.size_histogram);
        assert_false(config->is_default);
        config_free(config);
    }
    config_text_refused("- a\n", "f:1:1: the file must be a map of keys and values, not a list\n");
}

static void texts_are_shown_on_one_line(void **state)
{
    (void)state;
    config_text_refused(
        "\"a\\nb\\e[31m\": 1\n" ENTRY,
        "f:1:1: unknown key \"a\\x0ab\\x1b[31m\"; there are scan, limits, discovery, metrics, api and "
        "process_names\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section),
        cmocka_unit_test(every_matcher),
        cmocka_unit_test(many_errors_in_one_run),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(label_names),
        cmocka_unit_test(entries_of_one_group),
        cmocka_unit_test(matches_of_no_pattern),
        cmocka_unit_test(names_default),
        cmocka_unit_test(nothing_to_scan),
        cmocka_unit_test(texts_are_shown_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
