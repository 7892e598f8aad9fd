/* hostile.c - see hostile.h. */
#include "fuzz/hostile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PID 7
#define FDS_MAX 3
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* As in link.c, which keeps it to itself. */
struct frame {
    uint32_t magic;
    uint16_t version, kind;
    uint64_t length;
    uint32_t is_detached, has_fd;
};

/* A message before it is sent: the frame and up to 4 KiB behind. */
struct draft {
    struct frame frame;
    uint8_t bytes[8192];
    size_t length;
};

void hostile_require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_link: %s\n", what);
        abort();
    }
}

static void append(struct draft *draft, const void *data, size_t length)
{
    hostile_require(draft->length + length <= sizeof draft->bytes, "a draft that is too long");
    memcpy(draft->bytes + draft->length, data, length);
    draft->length += length;
}

static void draft_process(struct draft *draft)
{
    struct message_process process = {
        .state = PROCESS_STATE_OK, .group = "group", .valid_until_ns = UINT64_MAX};
    struct snapshot *snapshot = snapshot_new(1, 1, 1, 1);
    hostile_require(snapshot != NULL, "no memory");
    snapshot->pid = PID;
    strcpy(snapshot->labels.comm, "comm");
    append(draft, &process, sizeof process);
    append(draft, snapshot, snapshot->total_bytes);
    snapshot_unref(snapshot);
}

static void draft_group(struct draft *draft)
{
    struct message_group group = {.name = "group", .labels_count = 1, .interval_ns = 1};
    append(draft, &group, sizeof group);
    append(draft, "team\0cache", 11);
}

static void draft_stream(struct draft *draft, struct input *input)
{
    struct message_stream stream = {.id = 1,
                                    .pid = PID,
                                    .kind = input_u8(input) % (STREAM_INSPECTION + 1),
                                    .max_bytes = UINT64_MAX,
                                    .consistency = UINT32_MAX,
                                    .cells = 10,
                                    .top = 10,
                                    .question = {.kind = input_u8(input) % INSPECTION_COUNT,
                                                 .has_text = 1,
                                                 .has_at = 1,
                                                 .at = 4096,
                                                 .length = 8,
                                                 .needle_length = 1,
                                                 .text = "text"}};
    append(draft, &stream, sizeof stream);
}

/* A sound one of @kind; of those whose zeros are sound too just those. */
static void fill(struct draft *draft, unsigned kind, struct input *input)
{
    struct message_process_id id = {.pid = PID, .start_time_ticks = input_u8(input)};
    switch (kind) {
    case MESSAGE_PROCESS:
        draft_process(draft);
        return;
    case MESSAGE_GROUP:
        draft_group(draft);
        return;
    case MESSAGE_STREAM_REQUEST:
        draft_stream(draft, input);
        return;
    case MESSAGE_SCAN_BEGIN:
    case MESSAGE_SCAN_END:
    case MESSAGE_SCAN_STUCK:
        append(draft, &id, sizeof id);
        return;
    default:
        draft->length = kind < MESSAGE_COUNT ? message_body_size((enum message_kind)kind) : 0;
    }
}

static void damage(struct draft *draft, struct input *input)
{
    uint8_t *bytes = (uint8_t *)&draft->frame;
    for (uint8_t left = input_u8(input) % 16; left > 0 && input->left > 0; left--) {
        size_t at = input_u16(input) % (sizeof draft->frame + draft->length);
        if (at < sizeof draft->frame)
            bytes[at] ^= input_u8(input);
        else
            draft->bytes[at - sizeof draft->frame] ^= input_u8(input);
    }
}

/* Memory with the message's bytes, sealed or not, as long as it says or not. */
static int detach(const struct draft *draft, bool is_sealed, bool is_short)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t length = is_short && draft->length ? draft->length - 1 : draft->length;
    hostile_require(fd >= 0 && write(fd, draft->bytes, length) == (ssize_t)length, "no memory file");
    if (is_sealed)
        fcntl(fd, F_ADD_SEALS, SEALS);
    return fd;
}

static void send_packet(int end, const void *data, size_t length, const void *more, size_t more_length,
                        const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec parts[] = {{(void *)(uintptr_t)data, length}, {(void *)(uintptr_t)more, more_length}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    if (count) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&header);
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(head), fds, count * sizeof(int));
    }
    (void)!sendmsg(end, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void hostile_send(int end, struct input *input)
{
    struct draft draft = {0};
    unsigned kind = input_u8(input) % (MESSAGE_COUNT + 1);
    uint8_t how = input_u8(input);
    bool is_detached = how & 4, wants_fd = (how & 3) != 0;
    fill(&draft, kind, input);
    draft.frame = (struct frame){.magic = 0x4b4e494c,
                                 .version = LINK_VERSION,
                                 .kind = (uint16_t)kind,
                                 .length = draft.length,
                                 .is_detached = is_detached,
                                 .has_fd = wants_fd};
    damage(&draft, input);
    int fds[FDS_MAX], pipe_ends[2] = {-1, -1};
    size_t count = 0;
    scoped_fd int memory = is_detached ? detach(&draft, !(how & 8), how & 16) : -1;
    if (is_detached)
        fds[count++] = memory;
    if (wants_fd && pipe(pipe_ends) == 0)
        fds[count++] = how & 32 ? end : pipe_ends[1];
    if (how & 64)
        fds[count++] = end; /* one more than was said */
    send_packet(end, &draft.frame, sizeof draft.frame, draft.bytes, is_detached ? 0 : draft.length, fds,
                count);
    for (size_t i = 0; i < 2 && pipe_ends[i] >= 0; i++)
        close(pipe_ends[i]);
}

void hostile_send_raw(int end, struct input *input)
{
    size_t length = input_u8(input) % 128, fd_count = input_u8(input) % 2;
    length = length < input->left ? length : input->left;
    send_packet(end, input->data, length, NULL, 0, &end, fd_count);
    input->data += length;
    input->left -= length;
}

void hostile_drain(int end)
{
    char byte;
    union {
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    for (;;) {
        struct iovec part = {&byte, 1};
        struct msghdr header = {.msg_iov = &part,
                                .msg_iovlen = 1,
                                .msg_control = control.bytes,
                                .msg_controllen = sizeof control.bytes};
        if (recvmsg(end, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
            return;
        struct cmsghdr *head = CMSG_FIRSTHDR(&header);
        for (size_t i = 0; head && i < (head->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            close(fd);
        }
    }
}

void hostile_pair(int ends[2])
{
    hostile_require(link_pair(ends, NULL) == STATUS_OK, "no sockets");
}
