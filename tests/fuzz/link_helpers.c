/* link_helpers.c - who started a resolver or a holder takes what it says. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "fuzz/hostile.h"
#include "fuzz/link_parts.h"
#include "link/hold_client.h"
#include "link/hold_messages.h"
#include "link/resolver_client.h"
#include "link/resolver_messages.h"

/* The socket that a launcher gives: all that its helper will ever say lies in it. */
static enum status give(void *context, int *fd_ret, struct error *err)
{
    (void)err;
    *fd_ret = take_fd(context);
    return STATUS_OK;
}

static void say_record(int end, struct input *input)
{
    struct resolver_record record = {.version = RESOLVER_VERSION,
                                     .kind = input_u8(input) % (RESOLVER_END + 2),
                                     .index = input_u8(input),
                                     .value = (int64_t)input_u64(input),
                                     .build_id_length = 20,
                                     .debuglink = "x.debug",
                                     .name = "name",
                                     .type = "type"};
    for (uint8_t left = input_u8(input) % 4; left > 0; left--)
        ((uint8_t *)&record)[input_u16(input) % sizeof record] ^= input_u8(input);
    size_t length = input_u8(input) % 32 == 31 ? sizeof record - 1 : sizeof record;
    (void)!send(end, &record, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

struct findings {
    uint32_t count, limit;
};

static bool take_finding(void *context, const struct symbol_finding *finding)
{
    struct findings *findings = context;
    hostile_require(finding->form < FORM_COUNT && memchr(finding->name, 0, sizeof finding->name) &&
                        memchr(finding->type, 0, sizeof finding->type),
                    "a finding that cannot be");
    hostile_require(++findings->count <= findings->limit, "more findings than were asked for");
    return true;
}

void link_of_resolver(struct input *input)
{
    int ends[2];
    struct resolver_client client;
    uint8_t question = input_u8(input) % 3;
    struct findings findings = {.limit = input_u8(input) % 8};
    hostile_pair(ends);
    for (unsigned i = 0; i < LINK_MESSAGES_MAX && input->left > 2; i++)
        say_record(ends[0], input);
    shutdown(ends[0], SHUT_WR);
    resolver_client_init(&client, (struct helper_launcher){.start = give, .context = &ends[1]});
    client.debug_directory = "/nonexistent";
    struct symbol_answer answer;
    enum other_allocator other = OTHER_COUNT;
    struct symbol_question asked = {.limit = findings.limit, .text = "x"};
    if (question == 0 && client.source.resolve(&client.source, -1, NULL, 0, &answer, NULL) == STATUS_OK) {
        for (size_t i = 0; i < FIELD_COUNT; i++)
            hostile_require(answer.offsets[i] >= -1, "an offset that cannot be");
    } else if (question == 1) {
        enum status status = client.source.find_other(&client.source, -1, &other, NULL);
        hostile_require((status == STATUS_OK) == (other < OTHER_COUNT), "an allocator that is none");
    } else if (question == 2) {
        (void)!client.source.lookup(&client.source, -1, NULL, 0, &asked, take_finding, &findings, NULL);
    }
    close(ends[0]);
    scoped_fd_run(&ends[1]);
}

void link_of_holder(struct input *input)
{
    int ends[2];
    struct hold_client client;
    struct hold_report report;
    hostile_pair(ends);
    for (unsigned i = 0; i < 3 && input->left > 2; i++) {
        struct hold_message message = {.magic = HOLD_MAGIC, .kind = i ? HOLD_REPORT : HOLD_ANSWER};
        for (uint8_t left = input_u8(input) % 8; left > 0; left--)
            ((uint8_t *)&message)[input_u8(input) % sizeof message] ^= input_u8(input);
        (void)!send(ends[0], &message, sizeof message - input_u8(input) % 16 / 15,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(ends[0], SHUT_WR);
    hold_client_init(&client, (struct helper_launcher){.start = give, .context = &ends[1]});
    uint64_t begin_ns = clock_monotonic_ns();
    struct error err = {0};
    enum status status = client.holder.ops->begin(&client.holder, 1, NS_PER_MS, &err);
    hostile_require(status < STATUS_COUNT && (status == STATUS_OK || err.message[0]),
                    "a refusal without a reason");
    if (status == STATUS_OK) {
        client.holder.ops->end(&client.holder, &report);
        hostile_require(report.pause_ns <= clock_monotonic_ns() - begin_ns,
                        "a stop longer than it can have been");
    }
    close(ends[0]);
    scoped_fd_run(&ends[1]);
}
