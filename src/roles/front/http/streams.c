/* streams.c - dumps relayed from a pipe. */
#include "roles/front/http/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "roles/front/http/streams_internal.h"

#define BLOCK_BYTES (256 * 1024)
#define PIPE_BYTES (1024 * 1024)

static void unref(struct stream *stream)
{
    if (--stream->references == 0)
        free(stream);
}

static void give_up_place(const struct stream *stream)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (stream->owner->items[i] == stream)
            stream->owner->items[i] = NULL;
}

/* What the connection's thread asks for when it can send. */
static ssize_t read_block(void *context, uint64_t position, char *target, size_t size)
{
    (void)position;
    struct stream *stream = context;
    ssize_t result = MHD_CONTENT_READER_END_WITH_ERROR;
    pthread_mutex_lock(&stream->owner->lock);
    ssize_t got = stream->pipe >= 0 ? read(stream->pipe, target, size) : -1;
    if (got > 0) {
        result = got;
    } else if (stream->pipe >= 0 && (got == 0 || errno == EAGAIN || errno == EINTR)) {
        stream->is_at_end = got == 0;
        if (stream->is_at_end && stream->state == STREAM_FINISHED) {
            give_up_place(stream); /* before its client can know the end, and ask for the next */
            result = MHD_CONTENT_READER_END_OF_STREAM;
        } else if (stream->state != STREAM_BROKEN && !stream->owner->is_stopping) {
            stream_suspend(stream);
            result = 0;
        }
    }
    pthread_mutex_unlock(&stream->owner->lock);
    return result;
}

static void response_gone(void *context)
{
    struct stream *stream = context;
    struct streams *streams = stream->owner;
    pthread_mutex_lock(&streams->lock);
    unref(stream);
    pthread_mutex_unlock(&streams->lock);
}

/* A free place, or STREAMS_MAX where there is none; the lock is held. */
static size_t free_place(const struct streams *streams)
{
    uint32_t allowed = store_current_settings(streams->front->store).max_streams;
    size_t place = STREAMS_MAX, used = 0;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        used += streams->items[i] != NULL;
        if (!streams->items[i])
            place = i;
    }
    return used < allowed && !streams->is_stopping ? place : STREAMS_MAX;
}

/* Put a new stream into its place. @pipe becomes the stream's. */
static struct stream *add(struct streams *streams, struct request *request, int pipe,
                          const char *content_type)
{
    size_t place = free_place(streams);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct stream *stream = place < STREAMS_MAX && info ? calloc(1, sizeof(*stream)) : NULL;
    if (!stream) {
        close(pipe);
        return NULL;
    }
    uint64_t timeout_ns = store_current_settings(streams->front->store).stream_timeout_ns;
    uint64_t now = clock_monotonic_ns();
    *stream = (struct stream){.owner = streams,
                              .references = 1,
                              .id = ++streams->last_id,
                              .pipe = pipe,
                              .client = info->connect_fd,
                              .deadline_ns = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX,
                              .content_type = content_type,
                              .connection = request->connection};
    streams->items[place] = stream;
    request->stream = stream;
    return stream;
}

enum MHD_Result streams_start(struct request *request, const struct message_stream *wanted,
                              const char *content_type)
{
    struct streams *streams = request->front->streams;
    int ends[2];
    struct error err;
    if (pipe2(ends, O_CLOEXEC)) {
        error_errno(&err, errno, "a pipe for the dump");
        return request_fail(request, &err);
    }
    int write_end scoped_fd = ends[1];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* where the limit allows no more, the default serves */
    pthread_mutex_lock(&streams->lock);
    struct stream *stream = add(streams, request, ends[0], content_type);
    if (stream)
        stream_suspend(stream); /* before the request goes out: its reply may come at once */
    pthread_mutex_unlock(&streams->lock);
    if (!stream)
        return request_error(request, 429, "too_many_streams",
                             "as many dumps as api.max_streams allows are running", 5);
    struct message_stream asked = *wanted;
    asked.id = stream->id;
    enum status status = front_request_stream(request->front, &asked, write_end, &err);
    pthread_mutex_lock(&streams->lock);
    if (status)
        stream_cut_off(stream, status, err.message);
    pthread_mutex_unlock(&streams->lock);
    return MHD_YES;
}

static enum MHD_Result refuse(struct request *request, const struct message_stream_reply *reply)
{
    enum status status = reply->status < STATUS_COUNT ? (enum status)reply->status : STATUS_SYSTEM;
    if (status == STATUS_OK || status == STATUS_STOPPED)
        status = STATUS_SYSTEM;
    return request_error(request, (unsigned)status_http_code(status),
                         reply->code[0] ? reply->code : request_error_code(status), reply->message,
                         reply->retry_after_seconds);
}

enum MHD_Result streams_answer(struct request *request)
{
    struct stream *stream = request->stream;
    pthread_mutex_lock(&stream->owner->lock);
    enum stream_state state = stream->state;
    struct message_stream_reply reply = stream->reply;
    bool flows = state != STREAM_WAITING && state != STREAM_REFUSED;
    stream->references += flows;
    pthread_mutex_unlock(&stream->owner->lock);
    if (state == STREAM_WAITING)
        return MHD_NO;
    if (state == STREAM_REFUSED)
        return refuse(request, &reply);
    struct MHD_Response *response scoped_response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_block, stream, response_gone);
    if (!response) {
        response_gone(stream);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, stream->content_type);
    return request_queue(request, 200, response, 0);
}

void streams_release(struct request *request)
{
    struct stream *stream = request->stream;
    if (!stream)
        return;
    struct streams *streams = stream->owner;
    pthread_mutex_lock(&streams->lock);
    stream_close_pipe(stream);
    give_up_place(stream);
    unref(stream);
    pthread_mutex_unlock(&streams->lock);
    request->stream = NULL;
}

/* The stream called @id, or NULL; the lock is held. */
static struct stream *find(struct streams *streams, uint64_t id)
{
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (streams->items[i] && streams->items[i]->id == id)
            return streams->items[i];
    return NULL;
}

void streams_reply(struct streams *streams, const struct message_stream_reply *reply)
{
    pthread_mutex_lock(&streams->lock);
    struct stream *stream = find(streams, reply->id);
    if (stream && stream->state == STREAM_WAITING) {
        stream->reply = *reply;
        stream->state = reply->status == STATUS_OK ? STREAM_FLOWING : STREAM_REFUSED;
        stream_resume(stream);
    }
    pthread_mutex_unlock(&streams->lock);
}

void streams_ended(struct streams *streams, const struct message_stream_reply *reply)
{
    pthread_mutex_lock(&streams->lock);
    struct stream *stream = find(streams, reply->id);
    if (stream && stream->state == STREAM_WAITING)
        stream_cut_off(stream, STATUS_SYSTEM, reply->message);
    else if (stream && stream->state == STREAM_FLOWING) {
        stream->state = reply->status == STATUS_OK ? STREAM_FINISHED : STREAM_BROKEN;
        stream_resume(stream);
    }
    pthread_mutex_unlock(&streams->lock);
}
