/*
 * live_look.c - what a thread of a running process is at, without a stop: /proc/PID/task/TID/syscall
 * (proc_pid_syscall(5)), which is for the same user or CAP_DAC_READ_SEARCH, else wchan, and its stat. Who
 * sleeps in a signal's handler is in no call of its own: the signal may have come in the midst of anything.
 * That is seen on its stack, whose place wchan does not tell.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "target/live_internal.h"
#include "target/proc_file.h"
#include "target/signal_frame.h"
#include "target/task_list.h"

/* The calls that change the caller's mappings, and prctl(2), which names them. */
static const long NATIVE_CALLS[] = {SYS_brk,    SYS_mmap,    SYS_munmap, SYS_mprotect,
                                    SYS_mremap, SYS_madvise, SYS_prctl};
/* The same of a 32-bit program on a 64-bit kernel: the kernel's syscall_32.tbl, arm's syscall.tbl. */
#ifdef __aarch64__
static const long NARROW_CALLS[] = {45, 91, 125, 163, 172, 192, 220};
#else
static const long NARROW_CALLS[] = {45, 90, 91, 125, 163, 172, 192, 219};
#endif
/* x32 numbers its calls from here on (__X32_SYSCALL_BIT) */
#define NARROW_CALLS_END 0x40000000

/* Where a thread sleeps that is in no call: frozen with its cgroup, or waiting for a page. */
static const char *const OTHER_SLEEPS[] = {"do_freezer_trap", "__refrigerator", "handle_userfault"};

enum status live_thread_ids(struct target *target, pid_t *tids, size_t room, size_t *count_ret)
{
    scoped(task_list_close) struct task_list tasks;
    if (!task_list_open(&tasks, live_of(target)->directory_fd, "task"))
        return STATUS_SYSTEM;
    pid_t tid;
    size_t count = 0;
    for (; (tid = task_list_next(&tasks)) != 0; count++) {
        if (count == room)
            return STATUS_TOO_LARGE;
        tids[count] = tid;
    }
    *count_ret = count;
    return tasks.failed_errno || count == 0 ? STATUS_SYSTEM : STATUS_OK;
}

static bool is_of_mappings(long call, unsigned word_bytes)
{
    const long *calls = word_bytes == 4 ? NARROW_CALLS : NATIVE_CALLS;
    size_t count = word_bytes == 4 ? sizeof NARROW_CALLS / sizeof *NARROW_CALLS
                                   : sizeof NATIVE_CALLS / sizeof *NATIVE_CALLS;
    for (size_t i = 0; i < count; i++)
        if (calls[i] == call)
            return true;
    return word_bytes == 4 && call >= NARROW_CALLS_END;
}

/* "running", "-1 SP PC" where it sleeps outside of a call, or the call's number, six arguments, SP and PC. */
static bool is_call_of_others(const char *text, unsigned word_bytes, uint64_t *sp_ret)
{
    long call;
    return sscanf(text, "%ld %*s %*s %*s %*s %*s %*s %" SCNx64, &call, sp_ret) == 2 && call >= 0 &&
           !is_of_mappings(call, word_bytes);
}

static bool is_in_handler(struct live *live, uint64_t sp)
{
    scoped_free uint8_t *stack = malloc(SIGNAL_FRAME_BELOW_BYTES);
    if (!stack)
        return true; /* that it is in none cannot be said */
    size_t bytes = target_read(&live->base, sp, stack, SIGNAL_FRAME_BELOW_BYTES);
    return signal_frame_is_in(stack, bytes, live->base.word_bytes);
}

static bool is_sleep_of_a_call(const char *function)
{
    for (size_t i = 0; i < sizeof OTHER_SLEEPS / sizeof *OTHER_SLEEPS; i++)
        if (strcmp(function, OTHER_SLEEPS[i]) == 0)
            return false;
    return function[0] != '\0' && strcmp(function, "0") != 0;
}

static bool is_in_call(struct live *live, pid_t tid, char state)
{
    char path[40];
    uint64_t sp;
    scoped_buffer struct buffer text = {0};
    snprintf(path, sizeof path, "task/%d/syscall", (int)tid);
    if (proc_file_read(live->directory_fd, path, PROC_LINE_BYTES_MAX, &text, NULL) == STATUS_OK)
        return is_call_of_others(buffer_string(&text), live->base.word_bytes, &sp) &&
               !is_in_handler(live, sp);
    buffer_clear(&text);
    snprintf(path, sizeof path, "task/%d/wchan", (int)tid);
    return state == 'S' &&
           proc_file_read(live->directory_fd, path, PROC_LINE_BYTES_MAX, &text, NULL) == STATUS_OK &&
           is_sleep_of_a_call(buffer_string(&text));
}

enum status live_look_at_thread(struct target *target, pid_t tid, struct thread_look *ret)
{
    struct live *live = live_of(target);
    char path[40];
    struct proc_stat stat;
    snprintf(path, sizeof path, "task/%d/stat", (int)tid);
    enum status status = proc_file_stat(live->directory_fd, path, &stat, NULL);
    if (status != STATUS_OK)
        return status;
    if (stat.state == 'Z' || stat.state == 'X')
        return STATUS_GONE;
    *ret = (struct thread_look){.is_in_call = is_in_call(live, tid, stat.state),
                                .user_ticks = stat.user_ticks,
                                .faults = stat.minor_faults + stat.major_faults};
    return STATUS_OK;
}
