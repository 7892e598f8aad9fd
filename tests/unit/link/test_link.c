/* test_link.c - messages arrive as they were sent, large ones and descriptors too; garbage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "link/link.h"

static int ends[2];

static int set_up(void **state)
{
    (void)state;
    return link_pair(ends, NULL) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void assert_round_trip(size_t extra_length)
{
    uint8_t *extra = malloc(extra_length + 1);
    assert_non_null(extra);
    for (size_t i = 0; i < extra_length; i++)
        extra[i] = (uint8_t)(i * 7);
    struct message_process body = {.address_space = 4711, .group = "group"};
    assert_int_equal(link_send(ends[0], MESSAGE_PROCESS, &body, extra, extra_length, -1, 1000, NULL),
                     STATUS_OK);
    scoped_message struct message message = {.fd = -1};
    assert_int_equal(link_receive(ends[1], &message, 1000, NULL), STATUS_OK);
    assert_int_equal(message.kind, MESSAGE_PROCESS);
    assert_memory_equal(message.body, &body, sizeof body);
    assert_int_equal(message.extra_length, extra_length);
    assert_int_equal(message.fd, -1);
    if (extra_length)
        assert_memory_equal(message.extra, extra, extra_length);
    free(extra);
}

static void test_messages_of_all_sizes(void **state)
{
    (void)state;
    static const size_t LENGTHS[] = {0, 1, 32000, LINK_INLINE_MAX, LINK_INLINE_MAX + 1, 5000000};
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++)
        assert_round_trip(LENGTHS[i]);
}

static void test_descriptor_comes_along(void **state)
{
    (void)state;
    int pipe_ends[2];
    char byte = 0;
    assert_int_equal(pipe(pipe_ends), 0);
    struct message_peer body = {.epoch = 3};
    assert_int_equal(link_send(ends[0], MESSAGE_PEER, &body, NULL, 0, pipe_ends[1], 1000, NULL), STATUS_OK);
    close(pipe_ends[1]);
    scoped_message struct message message = {.fd = -1};
    assert_int_equal(link_receive(ends[1], &message, 1000, NULL), STATUS_OK);
    assert_true(message.fd >= 0);
    assert_int_equal(write(message.fd, "x", 1), 1);
    assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(pipe_ends[0]);
}

static void test_garbage_is_refused(void **state)
{
    (void)state;
    static const char GARBAGE[200] = "no frame at all";
    for (size_t length = 1; length <= sizeof GARBAGE; length += 33) {
        struct message message = {.fd = -1};
        assert_int_equal(send(ends[0], GARBAGE, length, 0), (ssize_t)length);
        assert_int_equal(link_receive(ends[1], &message, 1000, NULL), STATUS_BAD_DATA);
    }
}

/* What link.c puts before a message, written here as a role that was taken over would. */
struct written_frame {
    uint32_t magic;
    uint16_t version, kind;
    uint64_t length;
    uint32_t is_detached, has_fd;
    uint8_t body[8192];
};

static enum status send_packet(const struct written_frame *frame, size_t packet_length, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)frame, .iov_len = packet_length};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        *CMSG_FIRSTHDR(&header) = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), &fd, sizeof fd);
    }
    assert_true(sendmsg(ends[0], &header, 0) >= 0);
    scoped_message struct message message = {.fd = -1};
    return link_receive(ends[1], &message, 1000, NULL);
}

static enum status send_written(enum message_kind kind, size_t length, int fd)
{
    struct written_frame frame = {.magic = 0x4b4e494c,
                                  .version = LINK_VERSION,
                                  .kind = (uint16_t)kind,
                                  .length = length,
                                  .has_fd = fd >= 0};
    return send_packet(&frame, offsetof(struct written_frame, body) + length, fd);
}

static int lowest_free_fd(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static void test_a_kind_bounds_what_comes(void **state)
{
    (void)state;
    size_t gone = message_body_size(MESSAGE_PROCESS_GONE), group = message_body_size(MESSAGE_GROUP);
    assert_int_equal(send_written(MESSAGE_PROCESS_GONE, gone, -1), STATUS_OK);
    assert_int_equal(send_written(MESSAGE_PROCESS_GONE, gone - 1, -1), STATUS_BAD_DATA);
    assert_int_equal(send_written(MESSAGE_PROCESS_GONE, gone + 1, -1), STATUS_BAD_DATA);
    assert_int_equal(send_written(MESSAGE_GROUP, group + 4096, -1), STATUS_OK);
    assert_int_equal(send_written(MESSAGE_PEER, message_body_size(MESSAGE_PEER), ends[0]), STATUS_OK);
    struct message_process_gone body = {.pid = 1};
    assert_int_equal(link_send(ends[0], MESSAGE_PROCESS_GONE, &body, "x", 1, -1, 1000, NULL),
                     STATUS_TOO_LARGE);
}

/* Whatever is refused: the descriptors that came with it do not stay. */
static void test_descriptors_do_not_stay(void **state)
{
    (void)state;
    int before = lowest_free_fd();
    struct written_frame garbage = {.magic = 1};
    assert_int_equal(send_written(MESSAGE_PROCESS_GONE, message_body_size(MESSAGE_PROCESS_GONE), ends[0]),
                     STATUS_BAD_DATA);
    assert_int_equal(lowest_free_fd(), before);
    assert_int_equal(send_packet(&garbage, sizeof garbage, ends[0]), STATUS_BAD_DATA);
    assert_int_equal(lowest_free_fd(), before);
    assert_int_equal(send_packet(&garbage, 3, ends[0]), STATUS_BAD_DATA);
    assert_int_equal(lowest_free_fd(), before);
    assert_int_equal(send_packet(&garbage, 0, ends[0]), STATUS_GONE); /* an empty packet looks like the end */
    assert_int_equal(lowest_free_fd(), before);
}

static void test_closed_and_silent_ends(void **state)
{
    (void)state;
    struct message message = {.fd = -1};
    struct message_empty body = {0};
    assert_int_equal(link_receive(ends[1], &message, 0, NULL), STATUS_TIMEOUT);
    close(ends[0]);
    assert_int_equal(link_receive(ends[1], &message, 1000, NULL), STATUS_GONE);
    assert_int_equal(link_send(ends[1], MESSAGE_PING, &body, NULL, 0, -1, 1000, NULL), STATUS_GONE);
    ends[0] = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages_of_all_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_descriptor_comes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_garbage_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_kind_bounds_what_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_descriptors_do_not_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed_and_silent_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
