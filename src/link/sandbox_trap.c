/*
 * sandbox_trap.c - see sandbox_trap.h. The handler only notes the call's number: it may run in the middle of
 * anything. With SIGSYS blocked the kernel ends the process instead: the calls that a C library makes then
 * must be in the tables (tests/live/test_blocked_calls.c), or be later than them.
 */
#include "link/sandbox_trap.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/log.h"
#include "link/sandbox.h"

#define CALLS_MAX 1024
#define WORD_BITS 64

static atomic_uint_fast64_t seen[CALLS_MAX / WORD_BITS];
static uint64_t reported[CALLS_MAX / WORD_BITS];

/* What the call returns. */
static void set_result(ucontext_t *context, long result)
{
#if defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
    context->uc_mcontext.regs[0] = (unsigned long long)result;
#else
#error "where does this architecture return a system call's result?"
#endif
}

static void refuse(int number, siginfo_t *info, void *context)
{
    (void)number;
    set_result(context, -ENOSYS);
    if (info->si_syscall >= 0 && info->si_syscall < CALLS_MAX)
        atomic_fetch_or(&seen[info->si_syscall / WORD_BITS], UINT64_C(1)
                                                                 << ((unsigned)info->si_syscall % WORD_BITS));
}

bool sandbox_trap_install(void)
{
    struct sigaction action = {.sa_sigaction = refuse, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    sigset_t only;
    sigemptyset(&action.sa_mask);
    sigemptyset(&only);
    sigaddset(&only, SIGSYS);
    return sigaction(SIGSYS, &action, NULL) == 0 && sigprocmask(SIG_UNBLOCK, &only, NULL) == 0;
}

static void say(int call)
{
    char number[16];
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
    snprintf(number, sizeof number, "%d", call);
    log_event(LOG_WARN, "a system call that the sandbox does not know was refused (ENOSYS): please report it",
              "call", name ? name : number, NULL);
    free(name);
}

void sandbox_report(void)
{
    for (size_t word = 0; word < CALLS_MAX / WORD_BITS; word++) {
        uint64_t fresh = atomic_load(&seen[word]) & ~reported[word];
        reported[word] |= fresh;
        for (unsigned bit = 0; fresh && bit < WORD_BITS; bit++)
            if (fresh >> bit & 1)
                say((int)(word * WORD_BITS + bit));
    }
}
