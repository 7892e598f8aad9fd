/*
 * held_threads.c - see held_threads.h.
 *
 * The kernel's timer is set to when all threads have to stand still, and once they do to the end of the
 * budget, less what letting go of them takes.
 */
#include "roles/holder/held_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "base/checked.h"
#include "base/clock.h"
#include "roles/holder/kill_timer.h"
#include "roles/holder/page_lock.h"
#include "roles/holder/tracer.h"

/* What a thread costs at least: measured 10 us to stop, 2 to 3.5 us for the kernel to let go. */
#define STOP_NS 10000u
#define LET_GO_NS 4000u
/* A processor that is slow to stop them is slow to let them go: of what stopping took, what is set aside. */
#define LETTING_GO_OF(stopping) ((stopping) / 4)
#define KILL_GRACE_NS NS_PER_MS
/* of the budget, what stopping the threads may take */
#define STOPPING_OF(budget) ((budget) / 4)
/* between two looks at who has not stopped yet: a fraction of what was waited already */
#define POLL_NS_MIN UINT64_C(20000)
#define POLL_NS_MAX NS_PER_MS
#define POLL_OF(waited) ((waited) / 32)
#define LEAVING_TRIES 5u
#define LEAVING_NS 400000

struct held_thread {
    pid_t tid;
    bool is_stopped;
};

/* Another one has it. A holder of a moment ago may not be gone yet: it is given a moment. */
static bool is_traced(pid_t pid)
{
    for (unsigned i = 0; i < LEAVING_TRIES; i++) {
        if (task_tracer(pid) <= 0)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = LEAVING_NS}, NULL);
    }
    return true;
}

static bool open_tasks(struct held_threads *held)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/task", (int)held->pid);
    return task_list_open(&held->tasks, AT_FDCWD, path);
}

static size_t count_threads(struct held_threads *held)
{
    size_t count = 0;
    if (!open_tasks(held))
        return 0;
    while (task_list_next(&held->tasks) != 0)
        count++;
    task_list_close(&held->tasks);
    return count;
}

static bool is_known(const struct held_threads *held, pid_t tid)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->rows[i].tid == tid)
            return true;
    return false;
}

static bool is_late(const struct held_threads *held)
{
    return held->begun_ns != 0 && clock_monotonic_ns() - held->begun_ns > STOPPING_OF(held->budget_ns);
}

/* Seize and interrupt one thread. STATUS_GONE: it has ended, which is no failure. */
static enum status seize(struct held_threads *held, pid_t tid)
{
    if (held->count == held->room)
        return STATUS_TOO_LARGE; /* more threads than were counted: the process is busy making them */
    if (is_late(held))
        return STATUS_TIMEOUT;
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        if (errno == ESRCH)
            return STATUS_GONE;
        /* a leader that has ended is there as a zombie, and cannot be traced */
        pid_t tracer = task_tracer(tid);
        return tracer < 0 ? STATUS_GONE : tracer > 0 ? STATUS_TRACED : STATUS_PERMISSION;
    }
    held->rows[held->count++] = (struct held_thread){.tid = tid};
    if (held->begun_ns == 0)
        held->begun_ns = clock_monotonic_ns();
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    return STATUS_OK;
}

/* Seize the threads that are not held yet; *@added says whether there were any. */
static enum status seize_new(struct held_threads *held, bool *added)
{
    enum status status = STATUS_OK;
    pid_t tid;
    *added = false;
    if (!open_tasks(held))
        return STATUS_GONE;
    while (status == STATUS_OK && (tid = task_list_next(&held->tasks)) != 0) {
        if (is_known(held, tid))
            continue;
        status = seize(held, tid);
        *added = *added || status == STATUS_OK;
        if (status == STATUS_GONE)
            status = STATUS_OK;
    }
    if (status == STATUS_OK && held->tasks.failed_errno)
        status = STATUS_SYSTEM; /* whom we do not see runs on */
    task_list_close(&held->tasks);
    return status;
}

/* Look, without consuming anything, whether the thread has stopped or ended. */
static void look(struct held_thread *thread)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)thread->tid, &info, WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL) != 0) {
        thread->is_stopped = true; /* gone */
        return;
    }
    thread->is_stopped = info.si_pid != 0;
}

static enum status wait_stopped(struct held_threads *held)
{
    for (size_t i = 0; i < held->count;) {
        if (!held->rows[i].is_stopped)
            look(&held->rows[i]);
        if (held->rows[i].is_stopped) {
            i++;
            continue;
        }
        if (is_late(held))
            return STATUS_TIMEOUT;
        uint64_t rest_ns = POLL_OF(clock_monotonic_ns() - held->begun_ns);
        rest_ns = min_u64(max_u64(rest_ns, POLL_NS_MIN), POLL_NS_MAX);
        nanosleep(&(struct timespec){.tv_nsec = (long)rest_ns}, NULL);
    }
    return STATUS_OK;
}

/* All stand still: by when they have to be let go, and by when the kernel does. */
static enum status set_end(struct held_threads *held)
{
    uint64_t stopping_ns = clock_monotonic_ns() - held->begun_ns;
    uint64_t let_go_ns = max_u64(LETTING_GO_OF(stopping_ns), held->count * LET_GO_NS);
    if (stopping_ns + let_go_ns > held->budget_ns)
        return STATUS_TIMEOUT;
    held->release_by_ns = held->begun_ns + held->budget_ns - let_go_ns;
    return kill_timer_set(held->timer, held->release_by_ns + KILL_GRACE_NS) ? STATUS_OK : STATUS_SYSTEM;
}

/* Room for twice the threads that there are, in memory that stays. */
static enum status make_room(struct held_threads *held)
{
    size_t threads = count_threads(held);
    if (threads == 0)
        return STATUS_GONE;
    if (threads * (STOP_NS + LET_GO_NS) > held->budget_ns)
        return STATUS_TOO_LARGE;
    held->room = threads * 2 + 16;
    size_t bytes = held->room * sizeof *held->rows;
    void *rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (rows == MAP_FAILED)
        return STATUS_NO_MEMORY;
    held->rows = rows;
    page_lock(rows, bytes);
    return STATUS_OK;
}

enum status held_threads_stop(struct held_threads *held)
{
    held->tasks.fd = -1;
    if (is_traced(held->pid))
        return STATUS_TRACED;
    enum status status = make_room(held);
    if (status != STATUS_OK)
        return status;
    page_lock_code((const void *)(uintptr_t)&held_threads_stop);
    if (!kill_timer_start(clock_monotonic_ns() + STOPPING_OF(held->budget_ns) + KILL_GRACE_NS, &held->timer))
        return STATUS_SYSTEM;
    bool added = true;
    while (status == STATUS_OK && added) {
        status = seize_new(held, &added);
        if (status == STATUS_OK && added)
            status = wait_stopped(held);
    }
    if (status != STATUS_OK)
        return status;
    return held->count == 0 ? STATUS_GONE : set_end(held);
}
