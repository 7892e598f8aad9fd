/* link.c - see link.h. */
#include "link/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINK_MAGIC 0x4b4e494cu /* "LINK" */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* What goes before every message. */
struct frame {
    uint32_t magic;
    uint16_t version;
    uint16_t kind;
    uint64_t length;      /* of the kind's struct and what follows it */
    uint32_t is_detached; /* the bytes are in a memfd, the first descriptor */
    uint32_t has_fd;      /* the sender's own descriptor comes along, last */
};

static const struct {
    const char *name;
    size_t body_bytes;
    size_t more_bytes_max;
    bool may_have_fd;
} KINDS[MESSAGE_COUNT] = {[MESSAGE_NONE] = {"NONE", 0, 0, false},
#define X(name, type, more_bytes_max, may_have_fd) \
    [MESSAGE_##name] = {#name, sizeof(type), more_bytes_max, may_have_fd},
                          MESSAGE_TABLE(X)
#undef X
};

const char *message_name(enum message_kind kind)
{
    return KINDS[kind].name;
}

size_t message_body_size(enum message_kind kind)
{
    return KINDS[kind].body_bytes;
}

bool message_string_ok(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

enum status link_pair(int ends[2], struct error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(err, errno, "make a link");
    return STATUS_OK;
}

static enum status write_all(int fd, const void *data, size_t length, struct error *err)
{
    const char *at = data;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return error_errno(err, errno, "write a message's memory");
        at += written;
        length -= (size_t)written;
    }
    return STATUS_OK;
}

/* A sealed memfd with the struct and what follows it. */
static enum status detach(const void *body, size_t body_size, const void *extra, size_t extra_length,
                          int *ret, struct error *err)
{
    scoped_fd int fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return error_errno(err, errno, "make a message's memory");
    enum status status = write_all(fd, body, body_size, err);
    if (status == STATUS_OK)
        status = write_all(fd, extra, extra_length, err);
    if (status != STATUS_OK)
        return status;
    if (fcntl(fd, F_ADD_SEALS, SEALS) != 0)
        return error_errno(err, errno, "seal a message's memory");
    *ret = take_fd(&fd);
    return STATUS_OK;
}

static enum status wait_for(int end, short events, int timeout_ms, struct error *err)
{
    struct pollfd ready = {.fd = end, .events = events};
    int rc;
    do {
        rc = poll(&ready, 1, timeout_ms);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0)
        return error_errno(err, errno, "wait for a link");
    return rc == 0 ? error_set(err, STATUS_TIMEOUT, "the other role neither reads nor writes") : STATUS_OK;
}

static enum status send_parts(int end, struct iovec *parts, size_t part_count, const int *fds,
                              size_t fd_count, int timeout_ms, struct error *err)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = part_count};
    if (fd_count) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(end, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return STATUS_OK;
        if (errno == EINTR)
            continue;
        if (errno == EPIPE || errno == ECONNRESET)
            return error_set(err, STATUS_GONE, "the other role has closed its link");
        if (errno != EAGAIN)
            return error_errno(err, errno, "send to another role");
        enum status status = wait_for(end, POLLOUT, timeout_ms, err);
        if (status != STATUS_OK)
            return status;
    }
}

enum status link_send(int end, enum message_kind kind, const void *body, const void *extra,
                      size_t extra_length, int fd, int timeout_ms, struct error *err)
{
    size_t body_size = message_body_size(kind);
    if (extra_length > KINDS[kind].more_bytes_max)
        return error_set(err, STATUS_TOO_LARGE, "a %s message of %zu bytes is too large", message_name(kind),
                         body_size + extra_length);
    struct frame frame = {.magic = LINK_MAGIC,
                          .version = LINK_VERSION,
                          .kind = (uint16_t)kind,
                          .length = body_size + extra_length,
                          .is_detached = body_size + extra_length > LINK_INLINE_MAX,
                          .has_fd = fd >= 0};
    scoped_fd int memory = -1;
    int fds[2];
    size_t fd_count = 0;
    if (frame.is_detached) {
        enum status status = detach(body, body_size, extra, extra_length, &memory, err);
        if (status != STATUS_OK)
            return status;
        fds[fd_count++] = memory;
    }
    if (fd >= 0)
        fds[fd_count++] = fd;
    struct iovec parts[3] = {{.iov_base = &frame, .iov_len = sizeof frame},
                             {.iov_base = (void *)(uintptr_t)body, .iov_len = body_size},
                             {.iov_base = (void *)(uintptr_t)extra, .iov_len = extra_length}};
    return send_parts(end, parts, frame.is_detached ? 1 : 3, fds, fd_count, timeout_ms, err);
}

/* What one recvmsg brought, before it is believed. */
struct packet {
    uint8_t *data; /* of the receiver */
    size_t length;
    bool is_cut;
    bool lacks_descriptors;
    int fds[2];
    size_t fd_count;
};

static void packet_close(struct packet *packet)
{
    for (size_t i = 0; i < packet->fd_count; i++)
        if (packet->fds[i] >= 0)
            close(packet->fds[i]);
}

static enum status receive_packet(int end, struct packet *packet, size_t room, struct error *err)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = packet->data, .iov_len = room};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do {
        got = recvmsg(end, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return error_set(err, STATUS_TIMEOUT, "nothing has come");
    if (got < 0 && errno != ECONNRESET)
        return error_errno(err, errno, "receive from another role");
    if (got < 0)
        return error_set(err, STATUS_GONE, "the other role has closed its link");
    packet->length = (size_t)got;
    packet->is_cut = (header.msg_flags & MSG_TRUNC) != 0;
    packet->lacks_descriptors = (header.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        packet->fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(packet->fds, CMSG_DATA(c), packet->fd_count * sizeof(int));
    }
    /* the end; or an empty packet, with which descriptors can come */
    return got > 0 ? STATUS_OK : error_set(err, STATUS_GONE, "the other role has closed its link");
}

/* The bytes of a detached message: sealed, so that they cannot change under us, and as long as was said. */
static bool load_detached(int memory, uint64_t length, uint8_t *data)
{
    struct stat stat;
    if (fcntl(memory, F_GET_SEALS) != SEALS || fstat(memory, &stat) != 0 || stat.st_size < 0 ||
        (uint64_t)stat.st_size != length)
        return false;
    for (uint64_t got = 0; got < length;) {
        ssize_t n = pread(memory, data + got, (size_t)(length - got), (off_t)got);
        if (n <= 0)
            return false;
        got += (uint64_t)n;
    }
    return true;
}

/* Whether a message of its kind may be so long and bring what it brings. */
static bool is_length_sound(const struct frame *frame)
{
    uint64_t body_bytes = KINDS[frame->kind].body_bytes;
    return frame->length >= body_bytes && frame->length - body_bytes <= KINDS[frame->kind].more_bytes_max &&
           frame->has_fd <= KINDS[frame->kind].may_have_fd;
}

static bool is_frame_sound(const struct frame *frame, const struct packet *packet)
{
    return !packet->is_cut && frame->magic == LINK_MAGIC && frame->version == LINK_VERSION &&
           frame->kind > MESSAGE_NONE && frame->kind < MESSAGE_COUNT && frame->is_detached <= 1 &&
           is_length_sound(frame) && packet->fd_count == frame->is_detached + frame->has_fd &&
           packet->length - sizeof *frame == (frame->is_detached ? 0 : frame->length);
}

/* Turn a packet into a message; takes its descriptor where it is one. */
static enum status open_packet(struct packet *packet, struct message *ret, struct error *err)
{
    struct frame frame;
    if (packet->length < sizeof frame)
        return error_set(err, STATUS_BAD_DATA, "a message of another role is cut short");
    memcpy(&frame, packet->data, sizeof frame);
    if (packet->lacks_descriptors)
        return error_set(err, STATUS_BAD_DATA, "a descriptor that another role sent could not be taken%s",
                         error_remedy(EMFILE));
    if (!is_frame_sound(&frame, packet))
        return error_set(err, STATUS_BAD_DATA, "another role sent what is no message");
    scoped_free uint8_t *data = malloc((size_t)frame.length + 1);
    if (!data)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a message");
    if (!frame.is_detached)
        memcpy(data, packet->data + sizeof frame, (size_t)frame.length);
    else if (!load_detached(packet->fds[0], frame.length, data))
        return error_set(err, STATUS_BAD_DATA, "a message's memory is not sealed or not as long as it says");
    size_t body_size = message_body_size((enum message_kind)frame.kind);
    *ret = (struct message){.kind = (enum message_kind)frame.kind,
                            .body = data,
                            .extra = data + body_size,
                            .extra_length = (size_t)frame.length - body_size,
                            .fd = -1};
    if (frame.has_fd)
        ret->fd = take_fd(&packet->fds[packet->fd_count - 1]);
    data = NULL;
    return STATUS_OK;
}

enum status link_receive(int end, struct message *ret, int timeout_ms, struct error *err)
{
    enum status status = wait_for(end, POLLIN, timeout_ms, err);
    if (status != STATUS_OK)
        return status;
    size_t room = sizeof(struct frame) + LINK_INLINE_MAX;
    scoped_free uint8_t *data = malloc(room);
    if (!data)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a message");
    scoped(packet_close) struct packet packet = {.data = data};
    status = receive_packet(end, &packet, room, err);
    return status == STATUS_OK ? open_packet(&packet, ret, err) : status;
}

void message_deinit(struct message *message)
{
    free(message->body);
    if (message->fd >= 0 && message->body)
        close(message->fd);
    *message = (struct message){.fd = -1};
}
