/* call_trace.c - see call_trace.h. */
#include "call_trace.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

/* What reads a process and asks for nothing. */
static bool only_reads(const struct ptrace_syscall_info *call)
{
    switch (call->entry.nr) {
    case SYS_process_vm_readv:
    case SYS_pread64:
    case SYS_read:
    case SYS_getdents64:
    case SYS_get_robust_list:
    case SYS_clock_gettime: /* where the clock has no vDSO */
    case SYS_close:
        return true;
    case SYS_ioctl:
        return (call->entry.args[1] & 0xffff) == ('f' << 8 | 16); /* PAGEMAP_SCAN */
    case SYS_openat:
        return (call->entry.args[2] & 3) == 0; /* O_RDONLY */
    default:
        return false;
    }
}

static void look_at_call(pid_t scanner, const atomic_bool *is_watched, struct calls *calls)
{
    struct ptrace_syscall_info call = {0};
    if (!atomic_load(is_watched) ||
        ptrace(PTRACE_GET_SYSCALL_INFO, scanner, (void *)sizeof call, &call) <= 0 ||
        call.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    calls->reads += call.entry.nr == SYS_process_vm_readv;
    if (!only_reads(&call) && calls->count < CALLS_MAX)
        calls->numbers[calls->count++] = call.entry.nr;
}

bool trace_calls(pid_t scanner, const atomic_bool *is_watched, struct calls *calls)
{
    int status;
    if (waitpid(scanner, &status, 0) != scanner || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, scanner, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) != 0)
        return false;
    for (int signal = 0; ptrace(PTRACE_SYSCALL, scanner, NULL, (void *)(intptr_t)signal) == 0;) {
        if (waitpid(scanner, &status, 0) != scanner)
            return false;
        if (!WIFSTOPPED(status))
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call ? 0 : WSTOPSIG(status);
        if (is_call)
            look_at_call(scanner, is_watched, calls);
    }
    return false;
}
