/* link_roles.c - front, keeper and scanner take what each other sends. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "encode/report.h"
#include "fuzz/hostile.h"
#include "fuzz/link_parts.h"
#include "inspect/advice.h"
#include "roles/front/from_scanner.h"
#include "roles/front/http/handlers.h"
#include "roles/front/http/streams.h"
#include "roles/keeper/configuration.h"
#include "roles/scanner/front_link.h"
#include "roles/scanner/state.h"
#include "roles/scanner/streams.h"

/* Of a process that cannot be. */
#define NO_PID 0x7ffffff0

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

void link_to_front(struct input *input)
{
    static struct front *front;
    int ends[2];
    hostile_pair(ends);
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
    for (unsigned i = 0; i < LINK_MESSAGES_MAX && input->left > 2 && front->peer >= 0; i++) {
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
        hostile_pair(ends[i]);
        keeper->children[i] = (struct child){
            .role = i == KEEPER_FRONT ? ROLE_FRONT : ROLE_SCANNER, .name = "x", .control = ends[i][1]};
    }
    for (unsigned i = 0; i < LINK_MESSAGES_MAX && input->left > 2; i++) {
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

void link_front_to_keeper(struct input *input)
{
    try_keeper(input, KEEPER_FRONT);
}

void link_scanner_to_keeper(struct input *input)
{
    try_keeper(input, KEEPER_SCANNER);
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

void link_to_scanner(struct input *input)
{
    static struct scanner *scanner;
    int front[2], control[2];
    if (!scanner)
        scanner = new_scanner();
    hostile_pair(front);
    hostile_pair(control);
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
