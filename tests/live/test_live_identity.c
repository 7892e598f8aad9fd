/* test_live_identity.c - whether a running process still is the one that was opened, whatever it becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/forked.h"
#include "target/live.h"

static void gone_after_exit(void **state)
{
    (void)state;
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
    char byte;
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    forked_go_on(&child);
    assert_int_equal(read(child.released, &byte, 1), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    struct target *zombie = NULL;
    assert_int_equal(target_live_open("/proc", child.pid, &zombie, NULL), STATUS_GONE);
    pid_t pid = child.pid;
    forked_reap(&child);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    assert_int_equal(target_live_open("/proc", pid, &zombie, NULL), STATUS_NO_PROCESS);
}

static void gone_after_exec(void **state)
{
    (void)state;
    struct forked child = forked_start(FORKED_EXECS);
    scoped_target struct target *target = forked_open(&child);
    char byte;
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    forked_go_on(&child);
    assert_int_equal(read(child.released, &byte, 1), 0);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    struct maps maps;
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_GONE);
    scoped_target struct target *after = forked_open(&child);
    assert_int_equal(target_still_same(after, NULL), STATUS_OK);
    assert_true(target_live_stat(after)->start_time_ticks == target_live_stat(target)->start_time_ticks);
    forked_reap(&child);
}

static void gone_after_exec_of_a_vfork_child(void **state)
{
    (void)state;
    struct forked child = forked_start(FORKED_VFORK_EXECS);
    scoped_target struct target *target = forked_open(&child);
    char byte;
    assert_int_equal(target_still_same(target, NULL), STATUS_OK);
    forked_go_on(&child);
    assert_int_equal(read(child.released, &byte, 1), 0);
    /* Its parent keeps the address space alive, so the mappings alone do not tell. */
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    assert_int_equal(target_still_same(target, NULL), STATUS_GONE);
    forked_reap(&child);
}

static void goes_on_without_its_leader(void **state)
{
    (void)state;
    static uint8_t known = 0x42;
    uint8_t byte;
    struct forked child = forked_start(FORKED_LEADER_EXITS);
    scoped_target struct target *before = forked_open(&child);
    forked_go_on(&child);
    struct proc_stat stat = {0};
    while (stat.state != 'Z') {
        assert_int_equal(proc_stat_read("/proc", child.pid, &stat, NULL), STATUS_OK);
        sched_yield();
    }
    scoped_target struct target *after = forked_open(&child);
    struct target *const both[] = {before, after};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(target_read(both[i], (uintptr_t)&known, &byte, 1), 1);
        assert_int_equal(byte, known);
        assert_int_equal(target_still_same(both[i], NULL), STATUS_OK);
        struct target_thread *rows;
        size_t count;
        assert_int_equal(target_threads(both[i], &rows, &count, NULL), STATUS_OK);
        assert_int_equal(count, 1);
        assert_int_equal(rows[0].tid, child.second_tid);
        free(rows);
        scoped_maps struct maps maps = {0};
        assert_int_equal(target_maps(both[i], &maps, NULL), STATUS_OK);
        assert_non_null(maps_find(&maps, (uintptr_t)&known));
    }
    forked_reap(&child);
}

/* It gives up its memory before it is a zombie, and freeing much of it takes a while. */
static void ended_while_it_frees_its_memory(void **state)
{
    (void)state;
    const size_t length = (size_t)256 << 20;
    int pipe_fds[2];
    char byte;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        (void)!write(pipe_fds[1], "", 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    kill(pid, SIGKILL);
    enum status status = STATUS_OK;
    for (siginfo_t info = {0}; status == STATUS_OK || info.si_pid == 0;) {
        struct target *target = NULL;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        status = target_live_open("/proc", pid, &target, NULL);
        target_close(target);
        assert_true(status == STATUS_OK || status == STATUS_GONE);
    }
    waitpid(pid, NULL, 0);
}

/* Without a descriptor to ask by, nothing is known of a process, and it is not called ended. */
static void no_descriptor_is_not_its_end(void **state)
{
    (void)state;
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
    struct rlimit before, none;
    struct target_thread *rows = NULL;
    size_t count = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum status threads = target_threads(target, &rows, &count, NULL), same = target_still_same(target, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(threads, STATUS_SYSTEM);
    assert_int_equal(same, STATUS_SYSTEM);
    /* what this handle missed it has missed for good; a new one has not */
    assert_int_equal(target_still_same(target, NULL), STATUS_SYSTEM);
    scoped_target struct target *again = forked_open(&child);
    assert_int_equal(target_still_same(again, NULL), STATUS_OK);
    forked_reap(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gone_after_exit),
        cmocka_unit_test(gone_after_exec),
        cmocka_unit_test(gone_after_exec_of_a_vfork_child),
        cmocka_unit_test(goes_on_without_its_leader),
        cmocka_unit_test(ended_while_it_frees_its_memory),
        cmocka_unit_test(no_descriptor_is_not_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
