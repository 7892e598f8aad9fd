/*
 * fuzz_link.c - messages of roles that were taken over, over real sockets to the code that takes them: the
 * framing itself here, the roles in link_roles.c, the helpers in link_helpers.c. The first byte says which.
 */
#include <unistd.h>

#include "base/log.h"
#include "fuzz/hostile.h"
#include "fuzz/link_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int lowest_free_fd(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

static void try_framing(struct input *input)
{
    int ends[2];
    hostile_pair(ends);
    int free_fd = lowest_free_fd();
    for (unsigned i = 0; i < LINK_MESSAGES_MAX && input->left > 2; i++) {
        if (input_u8(input) % 4 == 0)
            hostile_send_raw(ends[0], input);
        else
            hostile_send(ends[0], input);
        struct message message = {.fd = -1};
        struct error err = {0};
        if (link_receive(ends[1], &message, 0, &err) != STATUS_OK) {
            hostile_require(err.message[0] != '\0' && !message.body, "a refusal without a reason");
        } else {
            hostile_require(message.kind > MESSAGE_NONE && message.kind < MESSAGE_COUNT,
                            "a kind that is none");
            hostile_require((const uint8_t *)message.body + message_body_size(message.kind) == message.extra,
                            "bytes that are elsewhere");
            hostile_require(message.fd < 0 || message.fd >= free_fd, "a descriptor of ours");
            /* all of it may be read */
            for (size_t at = 0; at < message.extra_length; at++)
                free_fd += message.extra[at] == 0 ? 0 : 0;
            message_deinit(&message);
        }
        hostile_require(lowest_free_fd() == free_fd, "a descriptor that stays");
    }
    close(ends[0]);
    close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const PARTS[])(struct input *) = {
        try_framing,     link_to_front,    link_scanner_to_keeper, link_front_to_keeper,
        link_to_scanner, link_of_resolver, link_of_holder};
    struct input input = {data, size};
    log_init((enum log_level)(LOG_ERROR + 1), LOG_LOGFMT, "fuzz");
    PARTS[input_u8(&input) % (sizeof PARTS / sizeof *PARTS)](&input);
    return 0;
}
