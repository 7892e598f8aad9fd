/* test_load.c - configurations that load, and all that is wrong with those that do not, by place. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static struct config *load(const char *text)
{
    struct config *config = NULL;
    struct error err = {0};
    scoped_buffer struct buffer problems = {0};
    if (config_load("f", text, strlen(text), &config, &problems, &err) != STATUS_OK)
        fail_msg("%s%s", buffer_string(&problems), err.message);
    return config;
}

static void test_defaults(void **state)
{
    (void)state;
    struct config *config = load("");
    assert_false(config->is_default);
    assert_int_equal(config->scan.interval_ns, UINT64_C(30000000000));
    assert_int_equal(config->scan.timeout_ns, 0);
    assert_int_equal(config->scan.consistency, 0);
    assert_int_equal(config->limits.max_processes, 1000);
    assert_true(config->limits.max_cpu > 0.0499 && config->limits.max_cpu < 0.0501);
    assert_int_equal(config->limits.group_ttl_ns, UINT64_C(3600000000000));
    assert_int_equal(config->api.access, API_AUTHENTICATED);
    assert_int_equal(config->api.max_consistency, -1);
    assert_int_equal(config->api.snapshot_buffer_bytes, 64 << 20);
    assert_true(config->metrics.size_histogram);
    config_free(config);
}

static void test_entries_begin_with_the_defaults_of_scan(void **state)
{
    (void)state;
    struct config *config = load("process_names:\n"
                                 "  - comm: [a]\n"
                                 "    scan: {consistency: snapshot}\n"
                                 "  - {name: n, comm: [b]}\n"
                                 "scan: {interval: 1m30s, timeout: 20s}\n");
    assert_int_equal(config->entries_count, 2);
    assert_int_equal(config->entries[0].scan.interval_ns, UINT64_C(90000000000));
    assert_int_equal(config->entries[0].scan.consistency, 2);
    assert_int_equal(config->entries[1].scan.consistency, 0);
    assert_int_equal(config->entries[1].scan.timeout_ns, UINT64_C(20000000000));
    config_free(config);
}

static void test_files_of_the_repository_load(void **state)
{
    (void)state;
    static const char *const FILES[] = {"config/malloc_exporter.yml", "config/demo.yml"};
    for (size_t i = 0; i < 2; i++) {
        char path[4096], text[65536];
        snprintf(path, sizeof path, "%s/%s", getenv("SOURCE_ROOT"), FILES[i]);
        scoped_file FILE *file = fopen(path, "re");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        struct config *config = load(text);
        assert_true(config->entries_count > 0);
        config_free(config);
    }
}

/* Each line of @expected begins the line of a problem, in this order; there are no others. */
static void expect(const char *text, size_t length, const char *expected)
{
    struct config *config = NULL;
    struct error err = {0};
    scoped_buffer struct buffer problems = {0};
    assert_int_equal(config_load("f", text, length, &config, &problems, &err), STATUS_USAGE);
    const char *line = buffer_string(&problems);
    while (*expected) {
        size_t wanted = strcspn(expected, "\n");
        if (strncmp(line, expected, wanted) != 0)
            fail_msg("not \"%.*s\" but: %s", (int)wanted, expected, line);
        line += strcspn(line, "\n");
        line += *line != '\0';
        expected += wanted;
        expected += *expected != '\0';
    }
    assert_string_equal(line, "");
}

static void test_problems_by_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } CASES[] = {
        {"scan: {interval: soon, colour: 1}\nnowhere: 1\n",
         "f:1:18: scan.interval: must be a duration\nf:1:24: unknown key colour\nf:2:1: unknown key nowhere"},
        {"scan: {interval: 1ms}", "f:1:18: scan.interval: must lie between"},
        {"scan: {consistency: sliced}", "f:1:21: scan.consistency: sliced is not available"},
        {"limits: {max_cpu: 0%, concurrency: 0}",
         "f:1:19: limits.max_cpu: must be a share\nf:1:36: limits.concurrency: must lie"},
        {"limits: {max_processes: 4294967297}", "f:1:25: limits.max_processes: must lie"},
        {"api: {access: everybody}", "f:1:15: api.access: must be authenticated, local or open"},
        {"api: []", "f:1:6: api must be a map"},
        {"- a\n", "f:1:1: the configuration must be a map"},
        {"process_names: 1", "f:1:16: process_names must be a list"},
        {"process_names:\n  - {}\n", "f:2:5: the entry matches nothing"},
        {"process_names:\n  - {name: '{{.Bad}}', comm: [x]}\n", "f:2:12: name: at character 1: allowed are"},
        {"process_names:\n  - {name: '{{.Comm', comm: [x]}\n", "f:2:12: name: at character 1: \"{{\""},
        {"process_names:\n  - {name: '{{.Matches.x}}', comm: [x]}\n", "f:2:5: name: no cmdline pattern"},
        {"process_names:\n  - cmdline: ['a', 'b(']\n", "f:2:20: bad pattern, at character 3"},
        {"process_names:\n  - {comm: [x], pid: [0]}\n", "f:2:23: pid: \"0\" is no process"},
        {"process_names:\n  - {comm: [x], labels: {pid: 1, 2a: 1, ok: 1}}\n",
         "f:2:26: labels: \"pid\" is a label\nf:2:34: labels: \"2a\" is no label name"},
        {"process_names:\n  - {name: n, comm: [x], labels: {a: 1}}\n  - {name: n, comm: [y]}\n",
         "f:3:5: group n has other labels"},
        {"a: 1\na: 2\n", "f:2:1: this key is there twice"},
        {"scan: &x {interval: 1s}\n", "f:1:7: anchors and aliases are not allowed"},
        {"scan: *x\n", "f:1:7: anchors and aliases are not allowed"},
        {"scan: {}\n---\nscan: {}\n", "f:3:1: there must be one document"},
        {"scan: {interval: 1s\n", "f:2:1: not YAML"},
        {"[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]", "f:1:21: values are nested too deeply"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        expect(CASES[i].text, strlen(CASES[i].text), CASES[i].expected);
}

static void test_mutations_do_no_harm(void **state)
{
    (void)state;
    static const char SEED[] = "scan: {interval: 1s}\nprocess_names:\n  - name: 'a{{.Matches.p}}'\n"
                               "    cmdline: ['(?P<p>x+)']\n    labels: {a: b}\n    exclude: {comm: [c]}\n";
    srand(1);
    for (unsigned i = 0; i < 3000; i++) {
        char text[sizeof SEED];
        struct config *config = NULL;
        scoped_buffer struct buffer problems = {0};
        memcpy(text, SEED, sizeof SEED);
        for (unsigned j = 0; j < 1 + i % 4; j++)
            text[(unsigned)rand() % (sizeof SEED - 1)] = (char)(rand() % 256);
        enum status status = config_load("f", text, sizeof SEED - 1, &config, &problems, NULL);
        assert_true(status == STATUS_OK ? problems.length == 0 : problems.length > 0);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_entries_begin_with_the_defaults_of_scan),
        cmocka_unit_test(test_files_of_the_repository_load),
        cmocka_unit_test(test_problems_by_place),
        cmocka_unit_test(test_mutations_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
