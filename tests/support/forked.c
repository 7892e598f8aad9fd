/* forked.c - see forked.h. */
#include "support/forked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/live.h"

/* What it says first. */
struct hello {
    uint64_t robust_head;
    pid_t pid; /* in its own namespace */
    pid_t second_tid;
};

static pid_t second_tid;
static pthread_barrier_t second_started;

static void *second_thread(void *unused)
{
    second_tid = (pid_t)syscall(SYS_gettid);
    pthread_barrier_wait(&second_started);
    for (;;)
        pause();
    return unused;
}

static void exec_cat(int go)
{
    dup2(go, STDIN_FILENO);
    execlp("cat", "cat", (char *)NULL);
    _exit(1);
}

static void run_child(enum forked_step step, int ready, int go)
{
    pthread_t thread;
    void *head = NULL;
    size_t length;
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_barrier_init(&second_started, NULL, 2);
    pthread_create(&thread, NULL, second_thread, NULL);
    pthread_barrier_wait(&second_started);
    syscall(SYS_get_robust_list, 0, &head, &length);
    struct hello hello = {
        .robust_head = (uintptr_t)head, .pid = (pid_t)syscall(SYS_getpid), .second_tid = second_tid};
    if (write(ready, &hello, sizeof hello) != (ssize_t)sizeof hello || read(go, &byte, 1) != 1 ||
        step == FORKED_EXITS)
        _exit(0);
    if (step == FORKED_LEADER_EXITS)
        syscall(SYS_exit, 0);
    exec_cat(go);
}

/* A child that shares its parent's memory until it execs; the parent stands still until then. */
static void run_vfork(int ready, int go)
{
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t pid = vfork();
    if (pid == 0) {
        struct hello hello = {.pid = (pid_t)syscall(SYS_getpid)};
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (write(ready, &hello, sizeof hello) != (ssize_t)sizeof hello || read(go, &byte, 1) != 1)
            _exit(1);
        exec_cat(go);
    }
    close_range(STDERR_FILENO + 1, UINT32_MAX, 0);
    for (;;)
        pause();
}

/* A child in a pid namespace of its own; 1 is its pid there. */
static void run_namespace(int ready, int go)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWPID) != 0)
        _exit(1);
    pid_t pid = fork();
    if (pid == 0)
        run_child(FORKED_EXITS, ready, go);
    close_range(STDERR_FILENO + 1, UINT32_MAX, 0);
    for (;;)
        pause();
}

static pid_t only_child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    return child;
}

struct forked forked_start(enum forked_step step)
{
    int ready[2], go[2], released[2];
    struct hello hello;
    assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(go, O_CLOEXEC) | pipe2(released, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(go[1]);
        if (step == FORKED_VFORK_EXECS)
            run_vfork(ready[1], go[0]);
        else if (step == FORKED_IN_NAMESPACE)
            run_namespace(ready[1], go[0]);
        run_child(step, ready[1], go[0]);
    }
    close(ready[1]);
    close(go[0]);
    close(released[1]);
    ssize_t got = read(ready[0], &hello, sizeof hello);
    close(ready[0]);
    if (got == 0 && step == FORKED_IN_NAMESPACE) {
        waitpid(pid, NULL, 0);
        skip();
    }
    assert_int_equal(got, sizeof hello);
    bool is_own = step != FORKED_VFORK_EXECS && step != FORKED_IN_NAMESPACE;
    return (struct forked){.pid = is_own ? pid : only_child_of(pid),
                           .starter = is_own ? 0 : pid,
                           .go = go[1],
                           .released = released[0],
                           .robust_head = hello.robust_head,
                           .second_tid = hello.second_tid};
}

void forked_go_on(const struct forked *child)
{
    assert_int_equal(write(child->go, "x", 1), 1);
}

void forked_reap(struct forked *child)
{
    kill(child->pid, SIGKILL);
    if (child->starter)
        kill(child->starter, SIGKILL);
    waitpid(child->starter ? child->starter : child->pid, NULL, 0);
    close(child->go);
    close(child->released);
}

struct target *forked_open(const struct forked *child)
{
    struct target *target;
    struct error err = {0};
    if (target_live_open("/proc", child->pid, &target, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return target;
}
