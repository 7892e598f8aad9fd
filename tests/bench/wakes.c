/*
 * wakes.c - COUNT: what this machine takes to wake a process that waits, without any of our code. One of two
 * processes is busy for as long as a stop is, then writes to the other, which waits for it; COUNT times.
 * Prints the median and the longest time in ms from before the write to after the read.
 *
 * A stop takes at least four of these: the holder's begin, its answer, its release, its end.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STOP_NS 3000000u

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Answers each time that it is sent with how long that was on its way. */
static _Noreturn void wait_and_tell(int fd)
{
    uint64_t sent_ns;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (recv(fd, &sent_ns, sizeof sent_ns, 0) == (ssize_t)sizeof sent_ns) {
        uint64_t way_ns = now_ns() - sent_ns;
        if (send(fd, &way_ns, sizeof way_ns, MSG_NOSIGNAL) != (ssize_t)sizeof way_ns)
            _exit(1);
    }
    _exit(0);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    int fds[2];
    size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    uint64_t *ways_ns = calloc(count, sizeof *ways_ns);
    if (count == 0 || !ways_ns || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) != 0)
        return 2;
    pid_t pid = fork();
    if (pid < 0)
        return 1;
    if (pid == 0)
        wait_and_tell(fds[1]);
    for (size_t i = 0; i < count; i++) {
        uint64_t begun_ns = now_ns(), sent_ns = begun_ns;
        while (sent_ns - begun_ns < STOP_NS)
            sent_ns = now_ns();
        if (send(fds[0], &sent_ns, sizeof sent_ns, MSG_NOSIGNAL) != (ssize_t)sizeof sent_ns ||
            recv(fds[0], &ways_ns[i], sizeof ways_ns[i], 0) != (ssize_t)sizeof ways_ns[i])
            return 1;
    }
    kill(pid, SIGKILL);
    qsort(ways_ns, count, sizeof *ways_ns, compare);
    printf("%.3f %.3f\n", (double)ways_ns[count / 2] / 1e6, (double)ways_ns[count - 1] / 1e6);
    free(ways_ns);
    return 0;
}
