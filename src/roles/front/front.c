/* front.c - the role's begin and end, its main loop, and what the keeper says. */
#include "roles/front/front.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/give_back.h"
#include "base/log.h"
#include "link/link.h"
#include "link/sandbox.h"
#include "roles/front/confine.h"
#include "roles/front/from_scanner.h"
#include "roles/front/http/answers.h"
#include "roles/front/http/connections.h"
#include "roles/front/http/server.h"
#include "roles/front/http/streams.h"
#include "roles/front/own_descriptors.h"
#include "roles/front/state.h"

#define LISTENERS_MAX 64
#define START_TIMEOUT_MS 10000
#define SEND_TIMEOUT_MS 1000

/** What only the main loop touches. */
struct loop {
    struct front front;
    struct server *servers[LISTENERS_MAX];
    uint32_t server_count;
};

static enum status send_to_keeper(struct front *front, enum message_kind kind, const void *body,
                                  struct error *err)
{
    pthread_mutex_lock(&front->control_lock);
    enum status status = link_send(front->control, kind, body, NULL, 0, -1, SEND_TIMEOUT_MS, err);
    pthread_mutex_unlock(&front->control_lock);
    return status;
}

static enum status tell_keeper(struct front *front, enum message_kind kind, struct error *err)
{
    struct message_empty empty = {0};
    return send_to_keeper(front, kind, &empty, err);
}

enum status front_request_reload(struct front *front, struct error *err)
{
    return tell_keeper(front, MESSAGE_RELOAD, err);
}

static enum status take_peer(struct front *front, struct message *message, struct error *err)
{
    const struct message_peer *peer = message->body;
    if (message->fd < 0)
        return error_set(err, STATUS_BAD_DATA, "PEER came without a descriptor");
    front_close_scanner(front);
    store_set_epoch(front->store, peer->epoch);
    front->peer_epoch = peer->epoch;
    pthread_mutex_lock(&front->lock);
    front->peer = take_fd(&message->fd);
    pthread_mutex_unlock(&front->lock);
    return STATUS_OK;
}

static enum status take_listener(struct loop *loop, struct message *message, struct error *err)
{
    const struct message_listener *listener = message->body;
    if (message->fd < 0 || loop->server_count >= loop->front.start.listener_count)
        return error_set(err, STATUS_BAD_DATA, "LISTENER came without a descriptor, or once too often");
    enum status status = server_new(&loop->front, message->fd, listener->is_unix != 0,
                                    &loop->servers[loop->server_count], err);
    if (status)
        return status;
    message->fd = -1; /* the server's now */
    if (++loop->server_count < loop->front.start.listener_count)
        return STATUS_OK;
    return tell_keeper(&loop->front, MESSAGE_READY, err);
}

static enum status take_config_result(struct front *front, const struct message_config_result *result,
                                      struct error *err)
{
    if (!message_string_ok(result->message, sizeof(result->message)))
        return error_set(err, STATUS_BAD_DATA, "CONFIG_RESULT is not sound");
    pthread_mutex_lock(&front->lock);
    front->config_result = *result;
    front->has_config_result = true;
    if (result->is_ok)
        front->config_success_seconds = result->at_seconds;
    pthread_mutex_unlock(&front->lock);
    return STATUS_OK;
}

static enum status from_keeper(struct loop *loop, struct message *message, struct error *err)
{
    struct front *front = &loop->front;
    switch (message->kind) {
    case MESSAGE_PING:
        sandbox_report();
        log_report_dropped();
        give_back_if_due(clock_monotonic_ns());
        return tell_keeper(front, MESSAGE_PONG, err);
    case MESSAGE_PEER:
        return take_peer(front, message, err);
    case MESSAGE_LISTENER:
        return take_listener(loop, message, err);
    case MESSAGE_RESTARTS:
        pthread_mutex_lock(&front->lock);
        front->restarts = *(const struct message_restarts *)message->body;
        pthread_mutex_unlock(&front->lock);
        return STATUS_OK;
    case MESSAGE_USAGE:
        pthread_mutex_lock(&front->lock);
        front->usage = *(const struct message_usage *)message->body;
        pthread_mutex_unlock(&front->lock);
        return STATUS_OK;
    case MESSAGE_CONFIG_RESULT:
        return take_config_result(front, message->body, err);
    default:
        return error_set(err, STATUS_BAD_DATA, "the keeper does not send %s", message_name(message->kind));
    }
}

/* Take a message of the scanner. A link that is gone is not made anew by its two ends. */
static enum status serve_scanner(struct front *front, struct error *err)
{
    struct message_peer lost = {.epoch = front->peer_epoch};
    return front_serve_scanner(front) ? STATUS_OK : send_to_keeper(front, MESSAGE_UNLINKED, &lost, err);
}

/* Until the keeper is gone. */
static enum status run(struct loop *loop, struct error *err)
{
    for (;;) {
        struct pollfd polled[] = {{loop->front.control, POLLIN, 0}, {loop->front.peer, POLLIN, 0}};
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        if (polled[1].revents) {
            enum status status = serve_scanner(&loop->front, err);
            if (status)
                return status;
        }
        if (!polled[0].revents)
            continue;
        struct message message scoped_message = {.fd = -1};
        enum status status = link_receive(loop->front.control, &message, 0, err);
        if (status == STATUS_TIMEOUT)
            continue;
        if (!status)
            status = from_keeper(loop, &message, err);
        if (status)
            return status;
    }
}

static enum status receive_start(struct front *front, struct error *err)
{
    struct message message scoped_message = {.fd = -1};
    enum status status = link_receive(front->control, &message, START_TIMEOUT_MS, err);
    if (status)
        return status;
    const struct message_start *start = message.body;
    if (message.kind != MESSAGE_START || !message_string_ok(start->procfs, sizeof(start->procfs)) ||
        !message_string_ok(start->telemetry_path, sizeof(start->telemetry_path)) ||
        !message_string_ok(start->web_config_file, sizeof(start->web_config_file)) ||
        start->listener_count == 0 || start->listener_count > LISTENERS_MAX || start->log_level > LOG_ERROR ||
        start->log_format > LOG_JSON)
        return error_set(err, STATUS_BAD_DATA, "the first message is not a sound START");
    front->start = *start;
    return STATUS_OK;
}

static enum status load_web(struct front *front, struct error *err)
{
    struct buffer problems scoped_buffer = {0};
    const char *file = front->start.web_config_file;
    enum status status = web_new(file, &front->web, &problems, err);
    if (status) {
        log_lines(LOG_ERROR, "the web configuration is wrong", buffer_string(&problems));
        return status;
    }
    if (file[0])
        log_event(LOG_INFO, "web configuration loaded", "file", file, "tls",
                  web_has_tls(front->web) ? "on" : "off", NULL);
    return STATUS_OK;
}

static enum status serve(struct loop *loop, struct error *err)
{
    enum status status = receive_start(&loop->front, err);
    if (status)
        return status;
    log_init((enum log_level)loop->front.start.log_level, (enum log_format)loop->front.start.log_format,
             "front");
    loop->front.started_ns = clock_monotonic_ns();
    status = load_web(&loop->front, err);
    if (!status)
        status = own_descriptors_open(loop->front.start.procfs, err);
    if (!status)
        status = front_confine(&loop->front, err);
    if (status)
        return status;
    loop->front.store = store_new(STORE_BYTES_MAX);
    loop->front.streams = loop->front.store ? streams_new(&loop->front) : NULL;
    loop->front.connections = connections_new();
    loop->front.answers = answers_new();
    loop->front.logins = logins_new();
    if (!loop->front.streams || !loop->front.answers || !loop->front.connections || !loop->front.logins)
        return error_set(err, STATUS_NO_MEMORY, "no memory to start");
    return run(loop, err);
}

int front_main(int control_fd)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return 1;
    signal(SIGPIPE, SIG_IGN);
    loop->front.control = control_fd;
    loop->front.peer = -1;
    pthread_mutex_init(&loop->front.lock, NULL);
    pthread_mutex_init(&loop->front.control_lock, NULL);
    struct error err = {0};
    enum status status = serve(loop, &err);
    if (status != STATUS_GONE)
        log_error(LOG_ERROR, "the front ends", &err);
    if (loop->front.streams)
        streams_stop(loop->front.streams);
    if (loop->front.logins)
        logins_stop(loop->front.logins);
    for (uint32_t i = 0; i < loop->server_count; i++)
        server_free(loop->servers[i]);
    streams_free(loop->front.streams);
    connections_free(loop->front.connections);
    answers_free(loop->front.answers);
    logins_free(loop->front.logins);
    web_free(loop->front.web);
    store_free(loop->front.store);
    scoped_fd_run(&loop->front.peer);
    pthread_mutex_destroy(&loop->front.lock);
    pthread_mutex_destroy(&loop->front.control_lock);
    free(loop);
    return status == STATUS_GONE ? 0 : status == STATUS_USAGE ? 2 : 1;
}
