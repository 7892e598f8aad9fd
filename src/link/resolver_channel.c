/* resolver_channel.c - see resolver_channel.h. */
#include "link/resolver_channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Room for one descriptor: the kernel drops what does not fit. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static enum status wait_for(int socket_fd, short events, uint64_t deadline_ns, struct error *err)
{
    for (;;) {
        uint64_t now = clock_monotonic_ns();
        uint64_t left_ms = now < deadline_ns ? (deadline_ns - now) / NS_PER_MS + 1 : 0;
        struct pollfd ready = {.fd = socket_fd, .events = events};
        int count = poll(&ready, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
        if (count > 0)
            return STATUS_OK;
        if (count < 0 && errno != EINTR)
            return error_errno(err, errno, "wait for a resolver's socket");
        if (count == 0 && left_ms == 0)
            return error_set(err, STATUS_TIMEOUT, "no answer over a resolver's socket in time");
    }
}

enum status resolver_channel_send(int socket_fd, const void *data, size_t length, int fd,
                                  uint64_t deadline_ns, struct error *err)
{
    union control control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(head), &fd, sizeof fd);
    }
    for (;;) {
        if (sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return STATUS_OK;
        if (errno == EPIPE || errno == ECONNRESET)
            return error_set(err, STATUS_GONE, "the other end of a resolver's socket is closed");
        if (errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "send over a resolver's socket");
        enum status status = wait_for(socket_fd, POLLOUT, deadline_ns, err);
        if (status != STATUS_OK)
            return status;
    }
}

static int take_descriptor(struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

enum status resolver_channel_receive(int socket_fd, void *data, size_t length, int *fd_ret,
                                     uint64_t deadline_ns, struct error *err)
{
    for (;;) {
        union control control;
        struct iovec part = {.iov_base = data, .iov_len = length};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = CMSG_LEN(sizeof(int))};
        ssize_t got = recvmsg(socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got >= 0) {
            scoped_fd int fd = take_descriptor(&message);
            if (got == 0)
                return error_set(err, STATUS_GONE, "the other end of a resolver's socket is closed");
            if ((size_t)got != length || (message.msg_flags & MSG_TRUNC))
                return error_set(err, STATUS_BAD_DATA,
                                 "a message of a wrong length over a resolver's socket");
            *fd_ret = take_fd(&fd);
            return STATUS_OK;
        }
        if (errno == ECONNRESET)
            return error_set(err, STATUS_GONE, "the other end of a resolver's socket is closed");
        if (errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "receive over a resolver's socket");
        enum status status = wait_for(socket_fd, POLLIN, deadline_ns, err);
        if (status != STATUS_OK)
            return status;
    }
}
