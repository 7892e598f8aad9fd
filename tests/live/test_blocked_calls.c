/*
 * test_blocked_calls.c - the C library makes some system calls with all signals blocked, above all around the
 * start and the end of a thread. There the sandbox cannot refuse what it does not know, since its handler
 * cannot run: the kernel would end the role. So every such call of this machine's library must be in the
 * tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link/sandbox.h"

#define THREADS 16
#define CALLS_MAX 1024
#define SIGSYS_BIT (UINT64_C(1) << (SIGSYS - 1))
#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)
#define SYSCALL_STOP (SIGTRAP | 0x80)

static void *allocate(void *context)
{
    free(malloc(1 << 20)); /* an arena of its own */
    return context;
}

static void *wait_for_end(void *context)
{
    char byte;
    (void)!read(*(int *)context, &byte, 1);
    return NULL;
}

/* Threads of all kinds that a role or one of its libraries may have: small, detached, cancelled. */
static _Noreturn void use_threads(void)
{
    pthread_t threads[THREADS], cancelled;
    pthread_attr_t small, detached;
    int ends[2];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0 || pipe(ends) != 0)
        _exit(1);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], i % 2 ? &small : NULL, allocate, NULL) != 0)
            _exit(1);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (pthread_create(&cancelled, NULL, wait_for_end, &ends[0]) != 0 || pthread_cancel(cancelled) != 0 ||
        pthread_join(cancelled, NULL) != 0 || pthread_create(&threads[0], &detached, allocate, NULL) != 0)
        _exit(1);
    exit(0);
}

/* Of a thread that stands before or behind a system call: the call that it is about to make with SIGSYS
 * blocked. */
static int blocked_call(pid_t tid)
{
    struct __ptrace_syscall_info info;
    uint64_t blocked = 0;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof info, &info) < 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY ||
        ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof blocked, &blocked) != 0)
        return -1;
    return blocked & SIGSYS_BIT ? (int)info.entry.nr : -1;
}

/* Let it run on from stop to stop until @child has ended; mark the calls. */
static void follow(pid_t child, bool marks[CALLS_MAX])
{
    int wait_status;
    for (pid_t tid; (tid = waitpid(-1, &wait_status, __WALL)) > 0 || errno == EINTR;) {
        if (tid == child && (WIFEXITED(wait_status) || WIFSIGNALED(wait_status))) {
            assert_true(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
            return;
        }
        if (tid < 0 || !WIFSTOPPED(wait_status))
            continue;
        int signal = WSTOPSIG(wait_status), call = signal == SYSCALL_STOP ? blocked_call(tid) : -1;
        if (call >= 0 && call < CALLS_MAX)
            marks[call] = true;
        bool is_ours = signal == SYSCALL_STOP || signal == SIGTRAP || signal == SIGSTOP;
        ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)(is_ours ? 0 : signal));
    }
    fail_msg("the traced process is gone");
}

static void test_calls_with_signals_blocked_are_known(void **state)
{
    (void)state;
    static const enum role ROLES[] = {ROLE_FRONT, ROLE_SCANNER};
    bool marks[CALLS_MAX] = {false};
    size_t count = 0;
    int wait_status;
    pid_t child = fork();
    if (child == 0)
        use_threads();
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFSTOPPED(wait_status));
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)OPTIONS), 0);
    assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
    follow(child, marks);
    for (int call = 0; call < CALLS_MAX; call++) {
        if (!marks[call])
            continue;
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
        count++;
        for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
            enum sandbox_verdict verdict = sandbox_verdict(ROLES[i], name ? name : "");
            if (verdict != SANDBOX_ALLOWED && verdict != SANDBOX_DEPENDS)
                fail_msg("call %d (%s), made with signals blocked, would end role %d", call,
                         name ? name : "?", (int)ROLES[i]);
        }
        free(name);
    }
    assert_true(count > 2); /* it did follow threads */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls_with_signals_blocked_are_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
