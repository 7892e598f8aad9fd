/*
 * live.h - a running process as a target, by process_vm_readv(2), /proc/PID and a pidfd. Never ptrace.
 *
 * Identity is pid + start time + address space: a pidfd, a descriptor of /proc/PID/maps taken at the start
 * (it reads empty once that address space is gone) and, for vfork children, start_code, start_stack,
 * arg_start and env_start of proc_pid_stat(5).
 */
#ifndef TARGET_LIVE_H
#define TARGET_LIVE_H

#include "target/target.h"

/** The fields of /proc/PID/stat that this program uses (proc_pid_stat(5)). */
struct proc_stat {
    char comm[64];
    char state;
    pid_t ppid;
    uint64_t flags; /* PF_… of the kernel's sched.h */
    uint64_t minor_faults, major_faults;
    uint64_t user_ticks, system_ticks;
    uint64_t ended_user_ticks, ended_system_ticks; /* of children that were waited for */
    uint64_t start_time_ticks;                     /* since boot */
    uint64_t virtual_bytes;
    uint64_t rss_pages;
    uint64_t num_threads;
    uint64_t start_code, start_stack, arg_start, env_start;
    pid_t live_tid; /* of proc_stat_read(): the leader, or where it has exited a thread that runs on */
};

/**
 * Whether @procfs ("/proc") is one, and of our own pid namespace: pids below any other would name the wrong
 * processes in every system call. STATUS_USAGE: it is not, or its path is too long.
 */
enum status target_live_check_procfs(const char *procfs, struct error *err) must_check;

/**
 * Open process @pid below @procfs, which was checked. STATUS_NO_PROCESS: there is none; STATUS_PERMISSION:
 * its message names the cause (capability, yama with its value, non-dumpable, security module) and the
 * remedy.
 */
enum status target_live_open(const char *procfs, pid_t pid, struct target **ret,
                             struct error *err) must_check;

/** Its /proc/PID/stat as read when it was opened. */
const struct proc_stat *target_live_stat(const struct target *target);

/**
 * Open its root directory (O_PATH), as its mount namespace and chroot have it, into *@fd_ret, the caller's.
 * Use it with openat2(2) and RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS only. STATUS_GONE, STATUS_PERMISSION;
 * STATUS_NOT_FOUND: it is a FUSE file system, which may never answer.
 */
enum status target_live_open_root(const struct target *target, int *fd_ret, struct error *err) must_check;

/** Whether it is a kernel thread: it has no memory of its own. */
bool proc_stat_is_kernel_thread(const struct proc_stat *stat);

/** Whether all of its threads have ended: a zombie that waits for its parent. */
bool proc_stat_has_ended(const struct proc_stat *stat);

/** One number for the address space that a process has now: another one after an exec, with near certainty.
 */
uint64_t proc_stat_address_space(const struct proc_stat *stat);

/** Parse the text of /proc/PID/stat; a comm may hold any byte. STATUS_BAD_DATA where it is not of that form.
 */
enum status proc_stat_parse(const char *text, size_t length, struct proc_stat *ret,
                            struct error *err) must_check;

/**
 * Read and parse @procfs/@pid/stat. Where the leader has exited, what tells of memory is that of a thread
 * which runs on. STATUS_NO_PROCESS where there is none.
 */
enum status proc_stat_read(const char *procfs, pid_t pid, struct proc_stat *ret,
                           struct error *err) must_check;

#endif
