/*
 * proc_stat.c - /proc/PID/stat (proc_pid_stat(5)): "pid (comm) state ppid …". comm may hold any byte, also
 * ") R 1", so the fields are counted from the last ')'.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "target/live.h"
#include "target/proc_file.h"

/* Numbers of the fields as proc_pid_stat(5) counts them, in rising order. */
static const struct {
    unsigned number;
    size_t offset;
} FIELDS[] = {
    {9, offsetof(struct proc_stat, flags)},
    {10, offsetof(struct proc_stat, minor_faults)},
    {12, offsetof(struct proc_stat, major_faults)},
    {14, offsetof(struct proc_stat, user_ticks)},
    {15, offsetof(struct proc_stat, system_ticks)},
    {16, offsetof(struct proc_stat, ended_user_ticks)},
    {17, offsetof(struct proc_stat, ended_system_ticks)},
    {20, offsetof(struct proc_stat, num_threads)},
    {22, offsetof(struct proc_stat, start_time_ticks)},
    {23, offsetof(struct proc_stat, virtual_bytes)},
    {24, offsetof(struct proc_stat, rss_pages)},
    {26, offsetof(struct proc_stat, start_code)},
    {28, offsetof(struct proc_stat, start_stack)},
    {48, offsetof(struct proc_stat, arg_start)},
    {50, offsetof(struct proc_stat, env_start)},
};
#define FIELDS_COUNT (sizeof FIELDS / sizeof FIELDS[0])
#define FIELD_STATE 3
#define FIELD_PPID 4

#define PF_KTHREAD 0x00200000u /* the kernel's include/linux/sched.h */

static bool parse_number(const char *at, const char *end, uint64_t *ret)
{
    uint64_t value = 0;
    if (at == end)
        return false;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

/* Take one field of the text behind comm; @next counts the rows of FIELDS that are filled. */
static bool parse_field(unsigned number, const char *at, const char *end, size_t *next,
                        struct proc_stat *stat)
{
    uint64_t value;
    if (number == FIELD_STATE) {
        stat->state = *at;
        return end - at == 1 && ((*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z'));
    }
    if (number == FIELD_PPID) {
        if (!parse_number(at, end, &value) || value > INT32_MAX)
            return false;
        stat->ppid = (pid_t)value;
        return true;
    }
    if (*next == FIELDS_COUNT || FIELDS[*next].number != number)
        return true;
    if (!parse_number(at, end, &value))
        return false;
    memcpy((char *)stat + FIELDS[*next].offset, &value, sizeof value);
    ++*next;
    return true;
}

static void copy_comm(struct proc_stat *stat, const char *start, const char *end)
{
    size_t length = (size_t)(end - start);
    if (length > sizeof stat->comm - 1)
        length = sizeof stat->comm - 1;
    memcpy(stat->comm, start, length);
    stat->comm[length] = '\0';
}

enum status proc_stat_parse(const char *text, size_t length, struct proc_stat *ret, struct error *err)
{
    struct proc_stat stat = {0};
    const char *end = text + length;
    const char *open = memchr(text, '(', length), *close = memrchr(text, ')', length);
    if (!open || !close || close < open)
        return error_set(err, STATUS_BAD_DATA, "stat of the process has no name");
    copy_comm(&stat, open + 1, close);
    const char *at = close + 1;
    size_t next = 0;
    for (unsigned number = FIELD_STATE; next < FIELDS_COUNT && end - at > 1 && *at == ' '; number++) {
        const char *start = ++at;
        while (at < end && *at != ' ' && *at != '\n')
            at++;
        /* a field that nothing follows may have been cut */
        if (at == end || !parse_field(number, start, at, &next, &stat))
            return error_set(err, STATUS_BAD_DATA, "field %u of the process' stat is not of its form",
                             number);
    }
    if (next < FIELDS_COUNT)
        return error_set(err, STATUS_BAD_DATA, "stat of the process has too few fields");
    *ret = stat;
    return STATUS_OK;
}

/* A leader that has exited has no memory any more, its other threads have: what stat says of the memory is
 * taken from one of them. */
static void take_memory_of_a_thread(const char *procfs, pid_t pid, struct proc_stat *stat)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%d/task", procfs, (int)pid);
    scoped_directory DIR *tasks = opendir(path);
    pid_t tid;
    while (tasks && (tid = proc_next_pid(tasks)) != 0) {
        struct proc_stat thread;
        snprintf(path, sizeof path, "%d/stat", (int)tid);
        if (tid == pid || proc_file_stat(dirfd(tasks), path, &thread, NULL) != STATUS_OK ||
            thread.state == 'Z' || thread.state == 'X')
            continue;
        stat->live_tid = tid;
        stat->rss_pages = thread.rss_pages;
        stat->start_code = thread.start_code;
        stat->start_stack = thread.start_stack;
        stat->arg_start = thread.arg_start;
        stat->env_start = thread.env_start;
        return;
    }
}

enum status proc_stat_read(const char *procfs, pid_t pid, struct proc_stat *ret, struct error *err)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%d", procfs, (int)pid);
    scoped_fd int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 && errno == ENOENT)
        return error_set(err, STATUS_NO_PROCESS, "there is no process %d", (int)pid);
    if (directory < 0)
        return error_errno(err, errno, "open %s", path);
    enum status status = proc_file_stat(directory, "stat", ret, err);
    if (status == STATUS_GONE)
        return error_set(err, STATUS_NO_PROCESS, "process %d has ended", (int)pid);
    if (status != STATUS_OK)
        return status;
    ret->live_tid = pid;
    if (ret->state == 'Z' && ret->num_threads > 1)
        take_memory_of_a_thread(procfs, pid, ret);
    return STATUS_OK;
}

bool proc_stat_is_kernel_thread(const struct proc_stat *stat)
{
    return (stat->flags & PF_KTHREAD) != 0;
}

bool proc_stat_has_ended(const struct proc_stat *stat)
{
    return (stat->state == 'Z' || stat->state == 'X') && stat->num_threads <= 1;
}

uint64_t proc_stat_address_space(const struct proc_stat *stat)
{
    const uint64_t words[] = {stat->start_code, stat->start_stack, stat->arg_start, stat->env_start};
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, by words */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        hash = (hash ^ words[i]) * UINT64_C(0x100000001b3);
    return hash;
}
