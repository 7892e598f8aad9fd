/* ends.c - see ends.h. */
#include "roles/scanner/ends.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "roles/scanner/report.h"

#define EVENTS_MAX 64

/* A process whose pidfd is readable has ended. Discovery takes it out of the table. */
static void take_end(struct scanner *scanner, int32_t pid)
{
    pthread_mutex_lock(&scanner->lock);
    struct tracked *process = tracked_find(&scanner->table, pid);
    struct pollfd end = {process ? process->pidfd : -1, POLLIN, 0};
    if (end.fd >= 0 && poll(&end, 1, 0) > 0) {
        report_process_gone(scanner, process, true);
        process->has_ended = true;
        close(take_fd(&process->pidfd));
    }
    pthread_mutex_unlock(&scanner->lock);
}

static void *run(void *context)
{
    struct scanner *scanner = context;
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(scanner->epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++)
            take_end(scanner, (int32_t)events[i].data.u64);
    }
    return NULL;
}

enum status ends_start(struct scanner *scanner, struct error *err)
{
    pthread_t thread;
    scanner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (scanner->epoll_fd < 0)
        return error_errno(err, errno, "epoll for the ends of processes");
    int code = pthread_create(&thread, NULL, run, scanner);
    if (code != 0)
        return error_errno(err, code, "start the thread that hears of ends");
    pthread_detach(thread);
    return STATUS_OK;
}

void ends_watch(const struct scanner *scanner, struct tracked *process)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint32_t)process->id.pid};
    process->pidfd = (int)syscall(SYS_pidfd_open, process->id.pid, 0);
    if (process->pidfd >= 0 && epoll_ctl(scanner->epoll_fd, EPOLL_CTL_ADD, process->pidfd, &event) != 0)
        close(take_fd(&process->pidfd)); /* then the next census sees it */
}
