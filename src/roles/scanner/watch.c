/* watch.c - see watch.h. */
#include "roles/scanner/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "allocator/allocator.h"
#include "base/clock.h"
#include "base/log.h"
#include "target/proc_file.h"

#define HANGS_NS (5 * NS_PER_SECOND)

struct watched *watch_begin(struct scanner *scanner, const struct message_process_id *process,
                            uint64_t limit_ns, const struct scan_threads *threads)
{
    struct watched *found = NULL;
    pthread_mutex_lock(&scanner->watch_lock);
    for (size_t i = 0; !found && i < sizeof scanner->watched / sizeof *scanner->watched; i++)
        if (scanner->watched[i].process.pid == 0)
            found = &scanner->watched[i];
    if (found)
        *found =
            (struct watched){.process = *process, .tid = gettid(), .limit_ns = limit_ns, .threads = threads};
    pthread_mutex_unlock(&scanner->watch_lock);
    return found;
}

void watch_set_limit(struct scanner *scanner, struct watched *watched, uint64_t limit_ns)
{
    if (!watched)
        return;
    pthread_mutex_lock(&scanner->watch_lock);
    watched->limit_ns = limit_ns;
    watched->overdue = (struct overdue){0};
    pthread_mutex_unlock(&scanner->watch_lock);
}

void watch_end(struct scanner *scanner, struct watched *watched)
{
    if (!watched)
        return;
    pthread_mutex_lock(&scanner->watch_lock);
    *watched = (struct watched){0};
    pthread_mutex_unlock(&scanner->watch_lock);
}

static bool read_stat(const struct scanner *scanner, pid_t tid, struct proc_stat *ret)
{
    char path[320];
    snprintf(path, sizeof path, "%s/self/task/%d/stat", scanner->start.procfs, (int)tid);
    return proc_file_stat(AT_FDCWD, path, ret, NULL) == STATUS_OK;
}

/* The thread and those of its scan as if they were one, which can run where one of them can: they wait for
 * each other. */
static bool read_stats(const struct scanner *scanner, const struct watched *watched, struct proc_stat *ret)
{
    bool is_read = read_stat(scanner, watched->tid, ret);
    for (unsigned i = 0; is_read && watched->threads && i < scan_threads_count(watched->threads); i++) {
        struct proc_stat one;
        is_read = read_stat(scanner, scan_threads_tid(watched->threads, i), &one);
        if (!is_read)
            break;
        ret->user_ticks += one.user_ticks;
        ret->system_ticks += one.system_ticks;
        if (one.state == 'R')
            ret->state = 'R';
    }
    return is_read;
}

static bool hangs(const struct scanner *scanner, struct watched *watched, uint64_t now_ns)
{
    struct proc_stat stat;
    if (watched->process.pid == 0 || now_ns <= watched->limit_ns)
        return false;
    bool is_read = read_stats(scanner, watched, &stat);
    return overdue_look(&watched->overdue, is_read ? &stat : NULL, now_ns) > HANGS_NS;
}

/* A thread that hangs in the kernel answers no signal but SIGKILL: name the process and end. */
static _Noreturn void end(struct scanner *scanner, const struct message_process_id *process)
{
    char pid[16];
    struct error err;
    snprintf(pid, sizeof pid, "%d", (int)process->pid);
    log_event(LOG_ERROR, "a read of a process hangs: the scanner is replaced", "pid", pid, NULL);
    if (scanner_tell_keeper(scanner, MESSAGE_SCAN_STUCK, process, &err) != STATUS_OK)
        log_error(LOG_ERROR, "the keeper could not be told", &err);
    _exit(1);
}

void watch_check(struct scanner *scanner)
{
    struct message_process_id stuck = {0};
    uint64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&scanner->watch_lock);
    for (size_t i = 0; i < sizeof scanner->watched / sizeof *scanner->watched; i++)
        if (hangs(scanner, &scanner->watched[i], now_ns))
            stuck = scanner->watched[i].process;
    pthread_mutex_unlock(&scanner->watch_lock);
    if (stuck.pid != 0)
        end(scanner, &stuck);
}
