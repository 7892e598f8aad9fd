/* pipe_sink.c - see pipe_sink.h. */
#include "roles/scanner/pipe_sink.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

/* Until the pipe takes bytes; false: nobody reads it any more, or the time is over. */
static bool await_room(struct pipe_sink *sink)
{
    struct pollfd room = {sink->fd, POLLOUT, 0};
    uint64_t now_ns = clock_monotonic_ns();
    int rc = 0;
    while (now_ns < sink->limit_ns) {
        uint64_t wait_ms = (sink->limit_ns - now_ns) / NS_PER_MS + 1;
        rc = poll(&room, 1, wait_ms < 1000000 ? (int)wait_ms : 1000000);
        if (rc > 0 || (rc < 0 && errno != EINTR))
            break;
        now_ns = clock_monotonic_ns();
    }
    sink->is_late = rc == 0;
    return rc > 0 && !(room.revents & (POLLERR | POLLNVAL));
}

static bool write_all(struct pipe_sink *sink, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(sink->fd, data, length);
        if (written > 0) {
            data += written;
            length -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            if (!await_room(sink))
                return false;
        } else if (written < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool pipe_sink_write(void *context, const char *data, size_t length)
{
    struct pipe_sink *sink = context;
    if (!sink->has_begun && sink->before_first)
        sink->before_first(sink->context);
    sink->has_begun = true;
    /* around the write too: who gave the pipe can make it block */
    if (sink->waiting)
        sink->waiting(sink->context, true);
    bool is_written = write_all(sink, data, length);
    if (sink->waiting)
        sink->waiting(sink->context, false);
    return is_written;
}

bool pipe_sink_is_closed(const struct pipe_sink *sink)
{
    struct pollfd closed = {sink->fd, 0, 0};
    return poll(&closed, 1, 0) > 0 && (closed.revents & (POLLERR | POLLNVAL));
}
