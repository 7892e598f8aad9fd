/* watch.c - see watch.h. */
#include "roles/scanner/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "target/proc_file.h"

#define HANGS_NS (5 * NS_PER_SECOND)

struct watched *watch_begin(struct scanner *scanner, const struct message_process_id *process,
                            uint64_t limit_ns)
{
    struct watched *found = NULL;
    pthread_mutex_lock(&scanner->watch_lock);
    for (size_t i = 0; !found && i < sizeof scanner->watched / sizeof *scanner->watched; i++)
        if (scanner->watched[i].process.pid == 0)
            found = &scanner->watched[i];
    if (found)
        *found = (struct watched){.process = *process, .tid = gettid(), .limit_ns = limit_ns};
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

static bool hangs(const struct scanner *scanner, struct watched *watched, uint64_t now_ns)
{
    char path[320];
    struct proc_stat stat;
    if (watched->process.pid == 0 || now_ns <= watched->limit_ns)
        return false;
    snprintf(path, sizeof path, "%s/self/task/%d/stat", scanner->start.procfs, (int)watched->tid);
    bool is_read = proc_file_stat(AT_FDCWD, path, &stat, NULL) == STATUS_OK;
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
