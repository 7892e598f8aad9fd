/*
 * sandbox_profiles.c - what each role may ask of the kernel.
 *
 * A row for each call, by what it is good for. The keeper has no rows: it makes whatever it needs but
 * SANDBOX_NEVER, since all that it starts inherit its filter.
 */
#include "link/sandbox_profiles.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define SCAN_PAGEMAP 0xc0606610u /* PAGEMAP_SCAN of target/pagemap_scan.h */

const uint32_t SANDBOX_NEWEST_CALL =
    469; /* file_setattr, Linux 6.17; the same number on every architecture */

#define F (1u << ROLE_FRONT)
#define S (1u << ROLE_SCANNER)
#define R (1u << ROLE_RESOLVER)
#define H (1u << ROLE_HOLDER)
#define EACH (F | S | R | H)

/* clang-format off */
const struct sandbox_row SANDBOX_ROWS[] = {
    /* memory */
    {"brk", EACH}, {"munmap", EACH}, {"mremap", EACH}, {"madvise", EACH},
    {"mmap", EACH, SANDBOX_NOT_EXEC, 2}, {"mprotect", EACH, SANDBOX_NOT_EXEC, 2},
    {"mseal", EACH}, {"mlockall", H}, {"mlock", H}, {"mlock2", H}, {"memfd_create", F | S}, {"ftruncate", S},
    /* open files */
    {"read", EACH}, {"readv", EACH}, {"pread64", EACH}, {"preadv", S}, {"write", EACH}, {"writev", EACH},
    {"close", EACH}, {"close_range", R | H}, {"fcntl", EACH}, {"fstat", EACH}, {"newfstatat", EACH},
    {"statx", EACH}, {"fstatfs", F | S}, {"fadvise64", S}, {"poll", EACH}, {"ppoll", EACH}, {"dup", F | S},
    /* the log: to stderr, without waiting */
    {"pwritev2", EACH, SANDBOX_EQUALS, 0, 2},
    /* a scanner that cannot seek cannot write into /proc/PID/mem, should it get one opened for that */
    {"lseek", F | R | H}, {"lseek", S, SANDBOX_NO_SEEK},
    /* files by name */
    {"openat", F | S | H, SANDBOX_READ_ONLY, 2}, {"open", F | S | H, SANDBOX_READ_ONLY, 1}, {"openat2", S},
    {"getdents64", F | S | H}, {"readlink", EACH}, {"readlinkat", EACH}, {"stat", F | S | H},
    {"lstat", F | S | H}, {"access", F | S}, {"faccessat", F | S}, {"faccessat2", F | S}, {"statfs", F | S},
    {"getcwd", F | S},
    /* links between roles; in the front its connections too */
    {"sendmsg", EACH}, {"recvmsg", EACH}, {"sendto", EACH}, {"recvfrom", EACH},
    {"accept", F}, {"accept4", F}, {"getsockname", F}, {"getpeername", F}, {"getsockopt", F}, {"setsockopt", F},
    {"shutdown", F},
    /* waiting */
    {"epoll_create1", F | S}, {"epoll_ctl", F | S}, {"epoll_wait", F | S}, {"epoll_pwait", F | S},
    {"epoll_pwait2", F | S}, {"eventfd2", F | S}, {"pipe2", F}, {"timerfd_create", F | S},
    {"timerfd_settime", F | S}, {"futex", EACH}, {"futex_waitv", F | S},
    {"futex_wake", EACH}, {"futex_wait", EACH}, {"futex_requeue", EACH}, {"membarrier", F | S},
    {"nanosleep", EACH}, {"clock_nanosleep", EACH}, {"sched_yield", EACH}, {"restart_syscall", EACH},
    /* time and itself */
    {"clock_gettime", EACH}, {"clock_getres", EACH}, {"gettimeofday", EACH}, {"time", EACH}, {"getpid", EACH},
    {"gettid", EACH}, {"getppid", EACH}, {"getuid", EACH}, {"geteuid", EACH}, {"getgid", EACH},
    {"getegid", EACH}, {"getrandom", EACH}, {"getrlimit", EACH}, {"prlimit64", EACH, SANDBOX_EQUALS, 2, 0},
    {"getrusage", F | S}, {"setpriority", F, SANDBOX_EQUALS, 0, 0}, {"uname", EACH}, {"sysinfo", EACH}, {"sched_getaffinity", EACH}, {"getcpu", EACH},
    {"capget", EACH}, {"prctl", EACH, SANDBOX_EQUALS, 0, PR_SET_NAME}, {"prctl", EACH, SANDBOX_EQUALS, 0, PR_SET_VMA},
    /* signals, threads, the end */
    {"rt_sigaction", EACH}, {"rt_sigprocmask", EACH}, {"rt_sigreturn", EACH}, {"sigaltstack", EACH},
    {"clone", F | S, SANDBOX_THREAD, 0}, {"clone3", EACH, SANDBOX_REFUSED}, {"set_robust_list", F | S},
    {"rseq", F | S}, {"map_shadow_stack", F | S, SANDBOX_REFUSED}, {"arch_prctl", EACH, SANDBOX_REFUSED}, {"tgkill", EACH, SANDBOX_REFUSED}, {"exit", EACH}, {"exit_group", EACH},
    /* another process: read by the scanner */
    {"process_vm_readv", S}, {"get_robust_list", S}, {"pidfd_open", S}, {"kcmp", S},
    {"ioctl", S, SANDBOX_EQUALS, 1, SCAN_PAGEMAP},
    /* another process: stopped by a second process of the holder, which the kernel's timer ends at the latest */
    {"ptrace", H, SANDBOX_EQUALS, 0, PTRACE_SEIZE}, {"ptrace", H, SANDBOX_EQUALS, 0, PTRACE_INTERRUPT},
    {"clone", H, SANDBOX_NOTHING_ELSE, 0, CLONE_VM | SIGCHLD}, {"prctl", H, SANDBOX_EQUALS, 0, PR_SET_PDEATHSIG},
    {"waitid", H}, {"timer_create", H}, {"timer_settime", H},
};

const char *const SANDBOX_HARMFUL[] = {
    "ptrace", "process_vm_readv", "execve", "execveat", "fork", "vfork", "clone",
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4",
    "open", "openat", "openat2", "creat", "truncate", "unlink", "unlinkat", "rename", "renameat", "renameat2",
    "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmod",
    "fchmodat", "chown", "fchown", "lchown", "fchownat", "utimensat", "setxattr", "pwrite64", "pwritev",
    "mmap", "mprotect", "pkey_mprotect", "shmat", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
    "pidfd_send_signal", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
    "setfsuid", "setfsgid", "capset", "setpriority", "sched_setscheduler", "inotify_init1",
};

const char *const SANDBOX_NEVER[] = {
    "process_vm_writev", "process_madvise", "pidfd_getfd", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "init_module", "finit_module", "delete_module",
    "kexec_load", "kexec_file_load", "keyctl", "add_key", "request_key", "unshare", "setns", "chroot",
    "pivot_root", "mount", "umount2", "open_tree", "move_mount", "fsopen", "fsmount", "mount_setattr",
    "name_to_handle_at", "open_by_handle_at", "swapon", "swapoff", "reboot", "settimeofday", "clock_settime",
    "adjtimex", "clock_adjtime", "sethostname", "setdomainname", "acct", "quotactl", "syslog", "fanotify_init",
    "iopl", "ioperm", "personality", "migrate_pages", "move_pages", "vhangup",
};
/* clang-format on */

const size_t SANDBOX_ROWS_COUNT = sizeof SANDBOX_ROWS / sizeof *SANDBOX_ROWS;
const size_t SANDBOX_HARMFUL_COUNT = sizeof SANDBOX_HARMFUL / sizeof *SANDBOX_HARMFUL;
const size_t SANDBOX_NEVER_COUNT = sizeof SANDBOX_NEVER / sizeof *SANDBOX_NEVER;
