/* progress.c - see progress.h. */
#include "roles/front/http/progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/clock.h"

#define HEAD_START_BYTES (64 * 1024)
#define HEAD_START_NS NS_PER_SECOND

/* TCP_INFO of tcp(7). False: the socket is none of TCP. */
static bool acknowledged_bytes(int fd, uint64_t *ret)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    bool is_known = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0;
    *ret = is_known ? info.tcpi_bytes_acked : 0;
    return is_known;
}

struct progress progress_begin(int fd, uint64_t now_ns)
{
    struct progress progress = {.since_ns = now_ns};
    acknowledged_bytes(fd, &progress.acknowledged_bytes);
    return progress;
}

uint64_t progress_speed(const struct progress *progress, int fd, uint64_t length, uint64_t now_ns)
{
    uint64_t acknowledged;
    uint64_t taken =
        acknowledged_bytes(fd, &acknowledged) ? acknowledged - progress->acknowledged_bytes : length;
    uint64_t milliseconds = (now_ns - progress->since_ns + HEAD_START_NS) / NS_PER_MS;
    return (taken + HEAD_START_BYTES) * 1000 / milliseconds;
}
