/*
 * test_moments.c - bad moments, scanned again and again: each scan gives the right numbers or a named state,
 * and never another program's numbers.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "roles/scanner/scan_process.h"
#include "support/scratch.h"
#include "support/spawn.h"
#include "target/live.h"

/* As tests/targets/moments.c has them: chunks of 1008 bytes, and what else a C program allocates. */
#define HEAP_LEAST (UINT64_C(1000) * 1008)
#define HEAP_MOST (HEAP_LEAST + (1 << 20))
#define ROUNDS 100

static enum status scan(pid_t pid, struct snapshot **ret, struct error *err)
{
    char name[32] = "";
    const struct scan_job job = {.procfs = "/proc", .pid = pid, .timeout_ns = 120 * NS_PER_SECOND};
    *ret = NULL;
    return scan_process(&job, name, ret, err);
}

/* Start the kind; the pid that is meant. */
static pid_t start(struct spawned *spawned, const char *kind)
{
    char path[PATH_MAX];
    spawn_target_path("moments", path);
    const char *argv[] = {path, kind, NULL};
    scoped_free char *answer = spawn_ready(spawned, argv, NULL);
    assert_non_null(answer);
    assert_memory_equal(answer, "ready", 5);
    return answer[5] ? (pid_t)strtol(answer + 6, NULL, 10) : spawned->pid;
}

static uint64_t in_use_bytes(const struct snapshot *snapshot)
{
    return snapshot->numbers.states[CHUNK_IN_USE].bytes;
}

static void assert_sound(const struct snapshot *snapshot)
{
    assert_true(snapshot_is_valid(snapshot, snapshot->total_bytes));
    assert_in_range(in_use_bytes(snapshot), HEAP_LEAST, HEAP_MOST);
    assert_int_equal(snapshot->numbers.completeness.corrupt_count, 0);
    assert_true(snapshot->numbers.is_complete);
}

/* A moment that stands still: every scan succeeds, with @tcaches found and @missing not. */
static void assert_still(const char *kind, unsigned tcaches, unsigned missing)
{
    struct spawned spawned;
    pid_t pid = start(&spawned, kind);
    for (int round = 0; round < 10; round++) {
        struct error err = {0};
        struct snapshot *snapshot;
        if (scan(pid, &snapshot, &err) != STATUS_OK)
            fail_msg("%s: %s", kind, err.message);
        assert_sound(snapshot);
        assert_int_equal(snapshot->numbers.tcaches, tcaches);
        assert_int_equal(snapshot->numbers.tcaches_missing, missing);
        snapshot_unref(snapshot);
    }
    spawn_end(&spawned);
}

static void test_fork(void **state)
{
    (void)state;
    assert_still("fork", 1, 0);
}

/* It runs in its parent's memory: the parent's one tcache, under the child's tid, which the memory does not
 * know. */
static void test_vfork(void **state)
{
    (void)state;
    assert_still("vfork", 0, 1);
}

static void test_raw_clone(void **state)
{
    (void)state;
    assert_still("clone", 1, 0);
}

static void test_forked_by_threads(void **state)
{
    (void)state;
    assert_still("forked-threads", 1, 0);
}

static void test_leaderless(void **state)
{
    (void)state;
    assert_still("leaderless", 1, 0);
}

/* Whatever the thread was at: one chunk may be on its way, and where that is the top chunk, whose header
 * comes after the arena's word for it, what is left of it is not read. */
static void assert_walked(const struct snapshot *snapshot)
{
    const struct completeness *completeness = &snapshot->numbers.completeness;
    assert_in_range(in_use_bytes(snapshot), HEAP_LEAST, HEAP_MOST);
    assert_in_range(completeness->unread_bytes, 0, HEAP_MOST - HEAP_LEAST);
}

static void test_caught_in_malloc(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct spawned spawned;
        struct error err = {0};
        struct snapshot *snapshot;
        pid_t pid = start(&spawned, "caught");
        if (scan(pid, &snapshot, &err) != STATUS_OK)
            fail_msg("%s", err.message);
        assert_walked(snapshot);
        assert_int_equal(snapshot->numbers.completeness.corrupt_count, 0);
        assert_int_equal(snapshot->numbers.arenas, 1);
        snapshot_unref(snapshot);
        spawn_end(&spawned);
    }
}

static bool is_named_state(enum status status)
{
    return status == STATUS_GONE || status == STATUS_NO_PROCESS || status == STATUS_INCONSISTENT ||
           status == STATUS_UNSUPPORTED;
}

/* Threads begin, make arenas, and end all the time. */
static void test_threads_come_and_go(void **state)
{
    (void)state;
    struct spawned spawned;
    pid_t pid = start(&spawned, "threads");
    unsigned good = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct error err = {0};
        struct snapshot *snapshot;
        enum status status = scan(pid, &snapshot, &err);
        assert_true(status == STATUS_OK || status == STATUS_INCONSISTENT);
        if (status != STATUS_OK)
            continue;
        good++;
        assert_true(snapshot_is_valid(snapshot, snapshot->total_bytes));
        assert_in_range(in_use_bytes(snapshot), HEAP_LEAST, HEAP_MOST);
        assert_true(snapshot->numbers.tcaches + snapshot->numbers.tcaches_missing <= 20);
        snapshot_unref(snapshot);
    }
    assert_true(good > ROUNDS / 2);
    spawn_end(&spawned);
}

/* The children of posix_spawn, each in its parent's memory until it execs a program of almost no heap. */
static void test_spawned_children(void **state)
{
    (void)state;
    struct spawned spawned;
    char path[64];
    unsigned seen = 0;
    pid_t parent = start(&spawned, "spawn");
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    for (int round = 0; seen < ROUNDS && round < 100 * ROUNDS; round++) {
        int pid = 0;
        scoped_file FILE *children = fopen(path, "re");
        if (!children || fscanf(children, "%d", &pid) != 1)
            continue;
        struct error err = {0};
        struct snapshot *snapshot;
        enum status status = scan(pid, &snapshot, &err);
        seen++;
        assert_true(status == STATUS_OK || is_named_state(status));
        if (status == STATUS_OK && strcmp(snapshot->labels.comm, "true") == 0)
            assert_true(in_use_bytes(snapshot) < HEAP_LEAST / 2);
        snapshot_unref(snapshot);
    }
    assert_true(seen > 0);
    spawn_end(&spawned);
}

static void copy_program(const char *name, char path[PATH_MAX])
{
    char program[PATH_MAX], command[2 * PATH_MAX + 8];
    spawn_target_path("moments", program);
    snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    snprintf(command, sizeof command, "cp %s %s", program, path);
    assert_int_equal(system(command), 0);
}

/* Two programs that exec each other for ever: a result is of one of them, label and numbers. */
static void test_exec_storm(void **state)
{
    (void)state;
    char a[PATH_MAX], b[PATH_MAX];
    struct spawned spawned;
    unsigned good = 0, named = 0;
    copy_program("moments_a", a);
    copy_program("moments_b", b);
    const char *argv[] = {a, "exec", b, NULL};
    scoped_free char *answer = spawn_ready(&spawned, argv, NULL);
    assert_non_null(answer);
    for (int round = 0; round < 5 * ROUNDS; round++) {
        struct error err = {0};
        struct snapshot *snapshot;
        enum status status = scan(spawned.pid, &snapshot, &err);
        if (status != STATUS_OK && !is_named_state(status))
            fail_msg("%s", err.message);
        named += status != STATUS_OK;
        if (status != STATUS_OK)
            continue;
        good++;
        bool is_a = strcmp(snapshot->labels.comm, "moments_a") == 0;
        assert_true(is_a || strcmp(snapshot->labels.comm, "moments_b") == 0);
        assert_true(in_use_bytes(snapshot) <= (is_a ? HEAP_MOST : 3 * HEAP_LEAST + HEAP_MOST));
        assert_string_equal(strrchr(snapshot->labels.exe, '/') + 1, is_a ? "moments_a" : "moments_b");
        snapshot_unref(snapshot);
    }
    print_message("exec storm: %u results, %u named states\n", good, named);
    spawn_end(&spawned);
}

/* A process that ended, and another one under its pid: nothing of that is taken for the first one's. */
static void test_reused_pid(void **state)
{
    (void)state;
    struct error err = {0};
    struct target *scoped_target target = NULL;
    struct snapshot *snapshot = NULL;
    char name[32];
    pid_t first = fork();
    if (first == 0)
        for (;;)
            pause();
    assert_int_equal(target_live_open("/proc", first, &target, &err), STATUS_OK);
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
    pid_t wanted = first;
    struct clone_args arguments = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
    long second = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (second == 0)
        for (;;)
            pause();
    if (second < 0)
        skip(); /* needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, and that nobody took the pid */
    assert_int_equal(second, first);
    const struct scan_job job = {.procfs = "/proc", .pid = first};
    assert_int_equal(scan_live(&job, target, name, &snapshot, &err), STATUS_GONE);
    assert_null(snapshot);
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_vfork),
        cmocka_unit_test(test_raw_clone),
        cmocka_unit_test(test_forked_by_threads),
        cmocka_unit_test(test_leaderless),
        cmocka_unit_test(test_caught_in_malloc),
        cmocka_unit_test(test_threads_come_and_go),
        cmocka_unit_test(test_spawned_children),
        cmocka_unit_test(test_exec_storm),
        cmocka_unit_test(test_reused_pid),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
