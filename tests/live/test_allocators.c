/*
 * test_allocators.c - programs that use another malloc are named, not walked, and cost little: by the file's
 * name, by Go's note, by symbols where the file's name does not tell.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator/allocator.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "link/resolver_client.h"
#include "roles/resolver/resolver.h"
#include "support/scratch.h"
#include "support/spawn.h"
#include "target/live.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

static struct forked_helper child = {.main = resolver_main};
static unsigned resolvers; /* started so far */

static enum status start_counted(void *context, int *fd_ret, struct error *err)
{
    resolvers++;
    return forked_helper_start(context, fd_ret, err);
}

/* Run a command in the scratch directory; false: it failed (a package is missing). */
static bool prepare(const char *command)
{
    char line[2 * PATH_MAX];
    snprintf(line, sizeof line, "cd %s && %s 2>/dev/null", scratch, command);
    return system(line) == 0;
}

/* Scan @pid twice with one cache; the name that it is given, which must be the same both times. */
static enum status scan(pid_t pid, struct allocator_cache *cache, char name[32], struct error *err)
{
    struct resolver_client client;
    struct target *scoped_target target = NULL;
    struct snapshot *snapshot = NULL;
    struct helper_launcher launcher = forked_helper_launcher(&child);
    launcher.start = start_counted;
    resolver_client_init(&client, launcher);
    assert_int_equal(target_live_open("/proc", pid, &target, err), STATUS_OK);
    struct scan_request request = {
        .deadline_ns = clock_monotonic_ns() + 60 * NS_PER_SECOND, .symbols = &client.source, .cache = cache};
    enum status status = allocator_scan(target, &request, name, &snapshot, err);
    snapshot_unref(snapshot);
    return status;
}

static void assert_named(const struct spawned *spawned, const char *expected)
{
    struct allocator_cache *cache = allocator_cache_new();
    char name[32] = "";
    for (int round = 0; round < 2; round++) {
        struct error err = {0};
        assert_int_equal(scan(spawned->pid, cache, name, &err), STATUS_UNSUPPORTED);
        assert_string_equal(name, expected);
        assert_int_equal(status_exit_code(err.status), 5);
    }
    allocator_cache_free(cache);
}

/* Start @program, which says "ready", and hold its name against @expected. */
static void assert_program_named(const char *program, const char *variable, const char *expected)
{
    struct spawned spawned;
    const char *argv[] = {program, NULL}, *environment[] = {variable, NULL};
    scoped_free char *answer = spawn_ready(&spawned, argv, environment);
    assert_non_null(answer);
    assert_string_equal(answer, "ready");
    assert_named(&spawned, expected);
    spawn_end(&spawned);
}

/* Preloaded under its own name, and as a file whose name tells nothing. */
static void assert_preloaded_named(const char *library, const char *expected)
{
    char variable[PATH_MAX + 16], copy[PATH_MAX], program[PATH_MAX];
    if (access(library, R_OK) != 0)
        skip(); /* the package is not installed */
    spawn_target_path("plain", program);
    snprintf(variable, sizeof variable, "LD_PRELOAD=%s", library);
    assert_program_named(program, variable, expected);
    snprintf(copy, sizeof copy, "cp %s x.so", library);
    assert_true(prepare(copy));
    snprintf(variable, sizeof variable, "LD_PRELOAD=%s/x.so", scratch);
    assert_program_named(program, variable, expected);
}

static void test_jemalloc(void **state)
{
    (void)state;
    assert_preloaded_named(LIBRARIES "libjemalloc.so.2", "jemalloc");
}

static void test_tcmalloc(void **state)
{
    (void)state;
    assert_preloaded_named(LIBRARIES "libtcmalloc_minimal.so.4", "tcmalloc");
}

static void test_mimalloc(void **state)
{
    (void)state;
    assert_preloaded_named(LIBRARIES "libmimalloc.so.2.0", "mimalloc");
}

/* Linked against musl: dynamic, static, and static without a symbol, which only shows what it is not. */
static void test_musl(void **state)
{
    char command[PATH_MAX], program[PATH_MAX];
    const char *root = getenv("SOURCE_ROOT");
    static const struct {
        const char *flags, *name;
    } BUILDS[] = {{"", "musl"}, {"-static", "musl"}, {"-static -s", "other"}};
    (void)state;
    snprintf(program, sizeof program, "%s/musl", scratch);
    for (size_t i = 0; i < sizeof BUILDS / sizeof *BUILDS; i++) {
        snprintf(command, sizeof command, "musl-gcc %s -o musl %s/tests/targets/plain.c", BUILDS[i].flags,
                 root ? root : ".");
        if (!prepare(command))
            skip(); /* no musl-gcc */
        assert_program_named(program, NULL, BUILDS[i].name);
    }
}

static void test_go(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    char program[PATH_MAX];
    spawn_target_path("go_like", program);
    assert_program_named(program, NULL, "go");
}

static void await_text(int fd, const char *text)
{
    char seen[16384] = "";
    for (size_t length = 0; !strstr(seen, text); length++) {
        assert_true(length + 1 < sizeof seen);
        assert_int_equal(read(fd, seen + length, 1), 1);
    }
}

/* Linked against jemalloc by its packager. */
static void test_redis(void **state)
{
    struct spawned spawned;
    char path[64];
    (void)state;
    if (access("/usr/bin/redis-server", X_OK) != 0)
        skip();
    snprintf(path, sizeof path, "%s/socket", scratch);
    const char *argv[] = {"/usr/bin/redis-server", "--port", "0", "--save", "", "--unixsocket", path, NULL};
    assert_true(spawn_start(&spawned, argv, NULL));
    await_text(spawned.answers, "ready to accept");
    assert_named(&spawned, "jemalloc");
    spawn_end(&spawned);
}

/* A static glibc program without its library's banner: walked. */
static void test_busybox(void **state)
{
    struct spawned spawned;
    struct error err = {0};
    char name[32] = "";
    (void)state;
    const char *argv[] = {"busybox", "sh", "-c", "printf '5\\nready'; read x", NULL};
    if (system("dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q 'ok installed'") != 0)
        skip();
    scoped_free char *answer = spawn_ready(&spawned, argv, NULL);
    assert_non_null(answer);
    assert_int_equal(scan(spawned.pid, NULL, name, &err), STATUS_OK);
    spawn_end(&spawned);
}

/* glibc that was never used, and nothing else that is known: zeros; its modules are asked once, not each
 * time. */
static void test_cold(void **state)
{
    struct spawned spawned;
    struct error err = {0};
    char name[32] = "";
    (void)state;
    assert_true(prepare("printf '#include <unistd.h>\\n"
                        "int main(void) { write(1, \"5\\\\nready\", 7); for (;;) pause(); }\\n' > cold.c && "
                        "cc -Wl,--build-id -o cold cold.c"));
    char program[PATH_MAX];
    snprintf(program, sizeof program, "%s/cold", scratch);
    const char *argv[] = {program, NULL};
    scoped_free char *answer = spawn_ready(&spawned, argv, NULL);
    assert_non_null(answer);
    struct allocator_cache *cache = allocator_cache_new();
    assert_int_equal(scan(spawned.pid, cache, name, &err), STATUS_OK);
    unsigned before = resolvers;
    for (int i = 0; i < 5; i++)
        assert_int_equal(scan(spawned.pid, cache, name, &err), STATUS_OK);
    assert_int_equal(resolvers, before);
    allocator_cache_free(cache);
    spawn_end(&spawned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jemalloc), cmocka_unit_test(test_tcmalloc), cmocka_unit_test(test_mimalloc),
        cmocka_unit_test(test_musl),     cmocka_unit_test(test_go),       cmocka_unit_test(test_redis),
        cmocka_unit_test(test_busybox),  cmocka_unit_test(test_cold),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
