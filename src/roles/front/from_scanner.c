/* from_scanner.c - see from_scanner.h. */
#include "roles/front/from_scanner.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "link/link.h"
#include "roles/front/http/streams.h"

/* Without waiting: it is asked on a thread that serves all others too. */
enum status front_request_stream(struct front *front, const struct message_stream *request, int write_end,
                                 struct error *err)
{
    pthread_mutex_lock(&front->lock);
    enum status status =
        front->peer < 0 ? error_set(err, STATUS_SYSTEM, "the scanner is not running: ask again")
                        : link_send(front->peer, MESSAGE_STREAM_REQUEST, request, NULL, 0, write_end, 0, err);
    pthread_mutex_unlock(&front->lock);
    return status;
}

void front_close_scanner(struct front *front)
{
    pthread_mutex_lock(&front->lock);
    if (front->peer >= 0)
        close(take_fd(&front->peer));
    pthread_mutex_unlock(&front->lock);
    streams_peer_lost(front->streams);
}

static enum status take_stream_reply(struct front *front, const struct message *message, struct error *err)
{
    const struct message_stream_reply *reply = message->body;
    if (reply->status >= STATUS_COUNT || !message_string_ok(reply->code, sizeof(reply->code)) ||
        !message_string_ok(reply->message, sizeof(reply->message)))
        return error_set(err, STATUS_BAD_DATA, "a stream's reply is not sound");
    if (message->kind == MESSAGE_STREAM_REPLY)
        streams_reply(front->streams, reply);
    else
        streams_ended(front->streams, reply);
    return STATUS_OK;
}

static enum status from_scanner(struct front *front, const struct message *message, struct error *err)
{
    const struct message_group_gone *group = message->body;
    const struct message_process_gone *process = message->body;
    switch (message->kind) {
    case MESSAGE_SETTINGS:
        return store_settings(front->store, message->body, err);
    case MESSAGE_GROUP:
        return store_group(front->store, message->body, message->extra, message->extra_length, err);
    case MESSAGE_GROUP_GONE:
        if (!message_string_ok(group->name, sizeof(group->name)))
            return error_set(err, STATUS_BAD_DATA, "GROUP_GONE is not sound");
        store_group_gone(front->store, group->name);
        return STATUS_OK;
    case MESSAGE_PROCESS:
        return store_process(front->store, message->body, message->extra, message->extra_length, err);
    case MESSAGE_PROCESS_GONE:
        store_process_gone(front->store, process->pid, process->has_ended != 0);
        return STATUS_OK;
    case MESSAGE_ROUND:
        store_round(front->store, message->body, clock_monotonic_ns());
        return STATUS_OK;
    case MESSAGE_STREAM_REPLY:
    case MESSAGE_STREAM_END:
        return take_stream_reply(front, message, err);
    default:
        return error_set(err, STATUS_BAD_DATA, "the scanner does not send %s", message_name(message->kind));
    }
}

bool front_serve_scanner(struct front *front)
{
    struct message message scoped_message = {.fd = -1};
    struct error err;
    enum status status = link_receive(front->peer, &message, 0, &err);
    if (status == STATUS_OK)
        status = from_scanner(front, &message, &err);
    if (status == STATUS_OK || status == STATUS_TIMEOUT)
        return true;
    bool is_lost = status == STATUS_GONE || status == STATUS_SYSTEM;
    if (is_lost)
        front_close_scanner(front);
    if (status != STATUS_GONE)
        log_error_limited(&front->refused, LOG_WARN, "message of the scanner refused", &err);
    return !is_lost;
}
