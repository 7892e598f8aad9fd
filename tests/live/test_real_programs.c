/*
 * test_real_programs.c - a threaded server (memcached), an interpreter (python3) and a forking server (nginx,
 * its master and its worker) of Debian: a scan is equal to what glibc inside of them says.
 *
 * The oracle is asked before and after; a pair that differs means that the program worked meanwhile: the run
 * is repeated and counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "support/malloc_info_text.h"
#include "support/oracle.h"
#include "support/scan.h"

#define RUNS_MAX 10

static struct oracle oracle;

static int set_up(void **state)
{
    (void)state;
    return oracle_init(&oracle) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    oracle_deinit(&oracle);
    return 0;
}

static void assert_equal_in(pid_t pid, enum consistency consistency)
{
    for (int run = 1; run <= RUNS_MAX; run++) {
        assert_true(oracle_wait_idle(pid));
        scoped_free char *before = oracle_ask(&oracle, pid);
        assert_non_null(before);
        assert_true(oracle_wait_idle(pid));
        struct snapshot *snapshot = scan_once(pid, consistency, NULL);
        assert_non_null(snapshot);
        scoped_free char *rebuilt = malloc_info_text(snapshot, 0);
        snapshot_unref(snapshot);
        scoped_free char *after = oracle_ask(&oracle, pid);
        assert_non_null(after);
        if (strcmp(before, after) == 0) {
            print_message("pid %d %s: run %d counts\n", (int)pid, consistency_name(consistency), run);
            assert_string_equal(rebuilt, before);
            return;
        }
    }
    fail_msg("pid %d is never idle", (int)pid);
}

static void assert_equal(pid_t pid)
{
    assert_equal_in(pid, CONSISTENCY_SNAPSHOT);
    assert_equal_in(pid, CONSISTENCY_LIVE);
}

static void test_memcached(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/socket", oracle.folder);
    const char *const argv[] = {"memcached", "-u", "nobody", "-t", "4", "-s", path, NULL};
    if (access("/usr/bin/memcached", X_OK) != 0) {
        skip();
    }
    const char *const as_user[] = {"memcached", "-t", "4", "-s", path, NULL};
    assert_true(oracle_start(&oracle, geteuid() == 0 ? argv : as_user));
    while (access(path, F_OK) != 0) {
        assert_true(usleep(1000) == 0);
    }
    assert_equal(oracle.program.pid);
}

/* Python says on standard output when it is ready, as target programs do. */
static void test_python(void **state)
{
    (void)state;
    static const char program[] = "import json, sys, os\n"
                                  "kept = [str(i) * (i % 900) for i in range(20000)]\n"
                                  "del kept[::3]\n"
                                  "kept.append(bytearray(3000000))\n"
                                  "os.write(1, b'5\\nready')\n"
                                  "sys.stdin.readline()\n";
    const char *const argv[] = {"/usr/bin/python3", "-c", program, NULL};
    assert_true(oracle_start(&oracle, argv));
    scoped_free char *answer = spawn_answer(&oracle.program);
    assert_non_null(answer);
    assert_equal(oracle.program.pid);
}

static pid_t first_child(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%d", &child) != 1) {
        child = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return child;
}

static void write_nginx_conf(const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file,
            "daemon off; worker_processes 1; pid %s/pid; error_log stderr crit; events {}\n"
            "http { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p;\n"
            "fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;\n"
            "server { listen unix:%s/socket; location / { return 200 ok; } } }\n",
            oracle.folder, oracle.folder, oracle.folder, oracle.folder, oracle.folder, oracle.folder,
            oracle.folder);
    fclose(file);
}

static void test_nginx(void **state)
{
    (void)state;
    char conf[64];
    snprintf(conf, sizeof conf, "%s/conf", oracle.folder);
    if (access("/usr/sbin/nginx", X_OK) != 0) {
        skip();
    }
    write_nginx_conf(conf);
    const char *const argv[] = {"/usr/sbin/nginx", "-c", conf, NULL};
    assert_true(oracle_start(&oracle, argv));
    pid_t worker;
    while ((worker = first_child(oracle.program.pid)) == 0) {
        assert_true(usleep(1000) == 0);
    }
    assert_equal(oracle.program.pid);
    assert_equal(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memcached, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_python, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nginx, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
