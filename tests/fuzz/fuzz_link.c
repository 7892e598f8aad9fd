/*
 * fuzz_link.c - messages of roles that were taken over, over real sockets to the code that takes them: the
 * framing itself, the scanner to the front and to the keeper, the front to the keeper and to the scanner, the
 * resolver and the holder to the scanner. The first byte says which.
 */
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "encode/report.h"
#include "fuzz/hostile.h"
#include "inspect/advice.h"
#include "link/hold_client.h"
#include "link/hold_messages.h"
#include "link/resolver_client.h"
#include "link/resolver_messages.h"
#include "roles/front/from_scanner.h"
#include "roles/front/http/handlers.h"
#include "roles/front/http/streams.h"
#include "roles/keeper/configuration.h"
#include "roles/scanner/front_link.h"
#include "roles/scanner/state.h"
#include "roles/scanner/streams.h"

#define MESSAGES_MAX 16
/* Of a process that cannot be. */
#define NO_PID 0x7ffffff0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
enum status __wrap_helper_start(struct helpers *helpers, enum role role, int (*main)(int socket_fd),
                                int *fd_ret, struct error *err);

/* No process is forked here: one helper in two cannot be had. */
enum status __wrap_helper_start(struct helpers *helpers, enum role role, int (*main)(int socket_fd),
                                int *fd_ret, struct error *err)
{
    static unsigned count;
    (void)role, (void)main;
    hostile_require(helpers->count <= HELPERS_MAX, "too many helpers");
    if (++count % 2)
        return error_set(err, STATUS_TOO_LARGE, "none here");
    *fd_ret = dup(STDIN_FILENO);
    return STATUS_OK;
}

static int lowest_free_fd(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

static void make_pair(int ends[2])
{
    hostile_require(link_pair(ends, NULL) == STATUS_OK, "no sockets");
}

static void try_framing(struct input *input)
{
    int ends[2];
    make_pair(ends);
    int free_fd = lowest_free_fd();
    for (unsigned i = 0; i < MESSAGES_MAX && input->left > 2; i++) {
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

static bool append(void *context, const char *data, size_t length)
{
    buffer_append(context, data, length);
    return true;
}

/* Whatever was stored can be answered. */
static void render(struct front *front)
{
    struct request request = {.front = front};
    scoped_view struct store_view view = {0};
    scoped_buffer struct buffer body = {0};
    hostile_require(render_metrics(&request, EXPOSITION_TEXT, &body, NULL) == STATUS_OK &&
                        render_metrics(&request, EXPOSITION_OPENMETRICS, &body, NULL) == STATUS_OK &&
                        render_processes(&request, &body, NULL) == STATUS_OK &&
                        store_view(front->store, &view, NULL) == STATUS_OK,
                    "an answer that cannot be made");
    scoped_free struct report *report = malloc(sizeof *report);
    hostile_require(report != NULL, "no memory");
    for (size_t i = 0; i < view.process_count; i++) {
        hostile_require(store_state_at(view.processes[i], 1) < PROCESS_STATE_COUNT, "a state that is none");
        report_begin(report, REPORT_JSON, append, &body);
        advice_put(view.processes[i]->snapshot, report);
        hostile_require(report_end(report, NULL) == STATUS_OK, "an advice that cannot be made");
    }
}

static void try_front(struct input *input)
{
    static struct front *front;
    int ends[2];
    make_pair(ends);
    if (!front) {
        front = calloc(1, sizeof *front);
        hostile_require(front != NULL, "no memory");
        pthread_mutex_init(&front->lock, NULL);
        strcpy(front->start.procfs, "/nonexistent");
        front->store = store_new(STORE_BYTES_MAX);
        front->streams = streams_new(front);
        hostile_require(front->streams != NULL, "no streams");
        store_free(front->store);
    }
    front->store = store_new(1 << 20);
    front->peer = ends[1];
    for (unsigned i = 0; i < MESSAGES_MAX && input->left > 2 && front->peer >= 0; i++) {
        hostile_send(ends[0], input);
        front_serve_scanner(front);
    }
    render(front);
    store_free(front->store);
    front->store = NULL;
    close(ends[0]);
    if (front->peer >= 0)
        close(take_fd(&front->peer));
}

/* Messages of @child, one of KEEPER_FRONT and KEEPER_SCANNER. */
static void try_keeper(struct input *input, size_t child)
{
    static const struct keeper_options options = {.config_file = "/nonexistent", .enable_lifecycle = true};
    scoped_free struct keeper *keeper = calloc(1, sizeof *keeper);
    int ends[KEEPER_CHILDREN][2];
    hostile_require(keeper != NULL, "no memory");
    keeper->options = &options;
    keeper->config_fd = keeper->new_config_fd = keeper->signal_fd = -1;
    keeper->is_started = input_u8(input) % 4 != 0;
    for (size_t i = 0; i < KEEPER_CHILDREN; i++) {
        make_pair(ends[i]);
        keeper->children[i] = (struct child){
            .role = i == KEEPER_FRONT ? ROLE_FRONT : ROLE_SCANNER, .name = "x", .control = ends[i][1]};
    }
    for (unsigned i = 0; i < MESSAGES_MAX && input->left > 2; i++) {
        bool was_started = keeper->is_started;
        hostile_send(ends[child][0], input);
        dispatch_receive(keeper, &keeper->children[child]);
        configuration_check(keeper, UINT64_MAX);
        hostile_require(!keeper->is_ending || !was_started, "a role that ends the service");
        hostile_require(keeper->quarantine.scan_count <= QUARANTINE_SCANS_MAX &&
                            keeper->quarantine.suspect_count <= QUARANTINE_SUSPECTS_MAX,
                        "too many suspects");
        hostile_drain(ends[KEEPER_FRONT][0]);
        hostile_drain(ends[KEEPER_SCANNER][0]);
    }
    quarantine_scanner_died(&keeper->quarantine, 1);
    configuration_scanner_ended(keeper);
    hostile_require(!keeper->is_reloading, "a reload without an end");
    for (size_t i = 0; i < KEEPER_CHILDREN; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

/* One that has a configuration and a process that it selects. */
static struct scanner *new_scanner(void)
{
    struct scanner *scanner = calloc(1, sizeof *scanner);
    struct message_process_id id = {.pid = NO_PID};
    static struct group group = {.message = {.name = "group"}};
    hostile_require(scanner && config_default(&scanner->config, NULL) == STATUS_OK, "no configuration");
    pthread_mutex_init(&scanner->lock, NULL);
    pthread_mutex_init(&scanner->control_lock, NULL);
    pthread_mutex_init(&scanner->watch_lock, NULL);
    pthread_cond_init(&scanner->launched, NULL);
    strcpy(scanner->start.procfs, "/proc");
    scanner->config->api.memory = true;
    scanner->config->api.snapshot_buffer_bytes = 1 << 16;
    struct tracked *process = tracked_add(&scanner->table, &id);
    hostile_require(process != NULL, "no memory");
    process->group = process->home = &group;
    process->scan_config.consistency = CONSISTENCY_SNAPSHOT;
    return scanner;
}

static void await_streams(struct scanner *scanner)
{
    size_t count;
    do {
        sched_yield();
        pthread_mutex_lock(&scanner->lock);
        count = scanner->stream_count;
        pthread_mutex_unlock(&scanner->lock);
    } while (count > 0);
}

/* What the front would be told. */
static void read_letters(struct scanner *scanner)
{
    struct letter letter scoped_letter = {0};
    pthread_mutex_lock(&scanner->lock);
    while (untold_next(scanner, &letter, NULL) == STATUS_OK) {
        hostile_require(letter.kind == MESSAGE_SETTINGS || letter.kind == MESSAGE_STREAM_REPLY ||
                            letter.kind == MESSAGE_STREAM_END,
                        "a front is told what it did not ask for");
        letter_deinit(&letter);
    }
    pthread_mutex_unlock(&scanner->lock);
}

static void try_scanner(struct input *input)
{
    static struct scanner *scanner;
    int front[2], control[2];
    if (!scanner)
        scanner = new_scanner();
    make_pair(front);
    make_pair(control);
    hostile_require(front_link_replace(scanner, front[1], 1, NULL) == STATUS_OK, "no memory");
    scanner->control = control[1];
    bool is_selected = input_u8(input) % 2;
    for (unsigned i = 0; i < 4 && input->left > 2; i++) {
        scoped_message struct message message = {.fd = -1};
        hostile_send(front[0], input);
        if (link_receive(front[1], &message, 0, NULL) != STATUS_OK || message.kind != MESSAGE_STREAM_REQUEST)
            continue;
        if (is_selected)
            ((struct message_stream *)message.body)->pid = NO_PID;
        streams_begin(scanner, &message);
        await_streams(scanner);
        read_letters(scanner);
        hostile_drain(control[0]);
    }
    /* the other end of the link is the scanner's own */
    close(front[0]);
    close(control[0]);
    close(control[1]);
}

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

static void try_resolver(struct input *input)
{
    int ends[2];
    struct resolver_client client;
    uint8_t question = input_u8(input) % 3;
    struct findings findings = {.limit = input_u8(input) % 8};
    make_pair(ends);
    for (unsigned i = 0; i < MESSAGES_MAX && input->left > 2; i++)
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

static void try_holder(struct input *input)
{
    int ends[2];
    struct hold_client client;
    struct hold_report report;
    make_pair(ends);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    log_init((enum log_level)(LOG_ERROR + 1), LOG_LOGFMT, "fuzz");
    switch (input_u8(&input) % 7) {
    case 0:
        try_framing(&input);
        break;
    case 1:
        try_front(&input);
        break;
    case 2:
        try_keeper(&input, KEEPER_SCANNER);
        break;
    case 3:
        try_keeper(&input, KEEPER_FRONT);
        break;
    case 4:
        try_scanner(&input);
        break;
    case 5:
        try_resolver(&input);
        break;
    default:
        try_holder(&input);
    }
    return 0;
}
