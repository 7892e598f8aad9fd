/*
 * calls.c - see calls.h. Left out are calls that cannot fail for a program that is sound (getpid, close,
 * futex, munmap), brk, which malloc gets over by mmap, and close, after which the descriptor is gone in any
 * case.
 */
#include "calls.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/epoll.h>

#define ROW(name, ...)  \
    {                   \
#name, -1,      \
        {               \
            __VA_ARGS__ \
        }               \
    }

/* clang-format off */
struct faulty_call FAULTY_CALLS[] = {
    /* memory */
    ROW(mmap, ENOMEM), ROW(mprotect, ENOMEM), ROW(mremap, ENOMEM), ROW(mlock, ENOMEM, EPERM),
    ROW(memfd_create, EMFILE, ENFILE, ENOMEM),
    /* files by name */
    ROW(openat, ENOENT, EACCES, EMFILE, ENFILE, ENOMEM, EINTR, ESRCH),
    ROW(openat2, ENOENT, EACCES, EMFILE, ENOMEM, EAGAIN, ENOSYS),
    ROW(newfstatat, ENOENT, EACCES, ENOMEM), ROW(statx, ENOENT, EACCES, ENOMEM, ENOSYS),
    ROW(readlink, ENOENT, EACCES, ENOMEM), ROW(readlinkat, ENOENT, EACCES, ENOMEM),
    ROW(faccessat2, ENOENT, EACCES), ROW(access, ENOENT, EACCES), ROW(statfs, ENOENT, EACCES),
    ROW(unlink, ENOENT, EACCES), ROW(chmod, ENOENT, EPERM), ROW(chown, ENOENT, EPERM),
    /* open files */
    ROW(read, FAULT_SHORT, EINTR, EIO, ESRCH, ENOMEM), ROW(pread64, FAULT_SHORT, EINTR, EIO, ESRCH, ENOMEM),
    ROW(write, FAULT_SHORT, EINTR, EIO, ENOSPC, EPIPE, EAGAIN), ROW(writev, EINTR, EIO, ENOSPC, EPIPE, EAGAIN),
    ROW(pwritev2, EINTR, EIO, ENOSPC, EPIPE, EAGAIN, EOPNOTSUPP),
    ROW(getdents64, ENOENT, EIO, ENOMEM), ROW(fstat, EIO, ENOMEM), ROW(lseek, EINVAL, ESPIPE),
    ROW(ftruncate, EINTR, EIO), ROW(fcntl, EINVAL, EMFILE, EPERM, ENOMEM), ROW(ioctl, EINTR, ENOMEM, EINVAL, ENOTTY, ESRCH),
    ROW(dup, EMFILE), ROW(dup2, EMFILE, EINTR), ROW(dup3, EMFILE, EINTR), ROW(close_range, ENOMEM, ENOSYS),
    /* new descriptors */
    ROW(pipe2, EMFILE, ENFILE), ROW(eventfd2, EMFILE, ENFILE, ENOMEM), ROW(epoll_create1, EMFILE, ENFILE, ENOMEM),
    {.name = "epoll_ctl", .number = -1, .faults = {ENOMEM, ENOSPC}, .second = EPOLL_CTL_ADD}, ROW(signalfd4, EMFILE, ENFILE, ENOMEM), ROW(timerfd_create, EMFILE, ENOMEM),
    ROW(pidfd_open, EMFILE, ENFILE, ENOMEM, ESRCH),
    /* sockets */
    ROW(socket, EMFILE, ENFILE, ENOMEM, EAFNOSUPPORT), ROW(socketpair, EMFILE, ENFILE, ENOMEM),
    ROW(bind, EADDRINUSE, EACCES, ENOMEM), ROW(listen, EADDRINUSE), ROW(connect, ECONNREFUSED, EINTR),
    ROW(accept4, EMFILE, ENFILE, ENOMEM, ECONNABORTED, EINTR), ROW(setsockopt, ENOMEM, ENOPROTOOPT),
    ROW(getsockopt, ENOMEM), ROW(getsockname, ENOMEM), ROW(getpeername, ENOTCONN), ROW(shutdown, ENOTCONN),
    ROW(sendto, EINTR, EAGAIN, ENOMEM, ENOBUFS, EPIPE), ROW(sendmsg, EINTR, EAGAIN, ENOMEM, ENOBUFS, EPIPE, EMFILE),
    ROW(recvfrom, EINTR, EAGAIN, ENOMEM, ECONNRESET), ROW(recvmsg, EINTR, EAGAIN, ENOMEM, ECONNRESET),
    /* waiting */
    ROW(poll, EINTR, ENOMEM), ROW(ppoll, EINTR, ENOMEM), ROW(epoll_wait, EINTR), ROW(epoll_pwait, EINTR),
    ROW(nanosleep, EINTR), ROW(clock_nanosleep, EINTR), ROW(wait4, EINTR), ROW(waitid, EINTR, ECHILD),
    /* processes */
    ROW(clone, EAGAIN, ENOMEM), ROW(clone3, EAGAIN, ENOMEM), ROW(execve, ENOMEM, EAGAIN), ROW(kill, ESRCH, EPERM),
    ROW(prctl, EINVAL, EPERM), ROW(seccomp, EINVAL, ENOMEM), ROW(capget, EPERM), ROW(capset, EPERM),
    ROW(setresuid, EAGAIN, EPERM), ROW(setresgid, EPERM), ROW(setgroups, EPERM), ROW(setuid, EAGAIN, EPERM),
    ROW(prlimit64, EPERM, EINVAL), ROW(setrlimit, EPERM, EINVAL), ROW(rt_sigaction, EINVAL),
    ROW(timer_create, EAGAIN, ENOMEM), ROW(timer_settime, EINVAL), ROW(getrandom, EINTR, EAGAIN),
    ROW(landlock_create_ruleset, EOPNOTSUPP, ENOSYS, EMFILE, ENOMEM), ROW(landlock_add_rule, ENOMEM, EINVAL),
    ROW(landlock_restrict_self, EPERM), ROW(sched_getaffinity, EPERM),
    /* another process */
    ROW(process_vm_readv, FAULT_SHORT, EPERM, ESRCH, EFAULT, ENOMEM), ROW(get_robust_list, EPERM, ENOSYS),
    ROW(ptrace, EPERM, ESRCH, EIO), ROW(kcmp, EPERM, ESRCH, ENOSYS),
};
/* clang-format on */

const size_t FAULTY_CALLS_COUNT = sizeof FAULTY_CALLS / sizeof *FAULTY_CALLS;

void faulty_calls_resolve(void)
{
    for (size_t i = 0; i < FAULTY_CALLS_COUNT; i++)
        FAULTY_CALLS[i].number = seccomp_syscall_resolve_name(FAULTY_CALLS[i].name);
}

const struct faulty_call *faulty_call_find(int number, uint64_t second)
{
    for (size_t i = 0; i < FAULTY_CALLS_COUNT; i++)
        if (FAULTY_CALLS[i].number == number)
            return FAULTY_CALLS[i].second == 0 || FAULTY_CALLS[i].second == second ? &FAULTY_CALLS[i] : NULL;
    return NULL;
}

const char *fault_name(int fault)
{
    return fault == FAULT_SHORT ? "short" : strerrorname_np(fault);
}
