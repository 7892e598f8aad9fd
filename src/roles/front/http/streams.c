/* streams.c - dumps relayed from a pipe. */
#include "roles/front/http/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"

#define BLOCK_BYTES (256 * 1024)
#define PIPE_BYTES (1024 * 1024)

enum stream_state {
    STREAM_WAITING,  /* for STREAM_REPLY */
    STREAM_REFUSED,  /* reply says why */
    STREAM_FLOWING,  /* bytes may come */
    STREAM_FINISHED, /* STREAM_END was clean: over when the pipe is empty */
    STREAM_BROKEN,   /* over, and not clean */
};

/** One dump. The request and the response hold a reference each; all is under streams->lock. */
struct stream {
    struct streams *owner;
    unsigned references;
    uint64_t id;
    enum stream_state state;
    int pipe;   /* read end, -1 closed */
    int client; /* of the connection: not ours to close */
    bool is_suspended;
    bool is_at_end; /* all writers have closed the pipe */
    uint64_t deadline_ns;
    const char *content_type;
    struct MHD_Connection *connection;
    struct message_stream_reply reply;
};

struct streams {
    struct front *front;
    pthread_mutex_t lock;
    pthread_t thread;
    int wake;
    bool is_stopping;
    uint64_t last_id;
    struct stream *items[STREAMS_MAX];
};

static void wake_thread(struct streams *streams)
{
    uint64_t one = 1;
    ssize_t written = write(streams->wake, &one, sizeof(one));
    (void)written; /* a full counter wakes as well */
}

static void close_pipe(struct stream *stream)
{
    if (stream->pipe >= 0)
        close(take_fd(&stream->pipe));
}

static void resume(struct stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection);
}

static void suspend(struct stream *stream)
{
    stream->is_suspended = true;
    MHD_suspend_connection(stream->connection);
    wake_thread(stream->owner);
}

static void cut_off(struct stream *stream, enum status status, const char *message)
{
    if (stream->state == STREAM_WAITING) {
        stream->state = STREAM_REFUSED;
        stream->reply.status = status;
        snprintf(stream->reply.message, sizeof(stream->reply.message), "%s", message);
    } else if (stream->state != STREAM_REFUSED) {
        stream->state = STREAM_BROKEN;
    }
    close_pipe(stream);
    resume(stream);
}

/* What poll(2) said of a stream, or what the time says. */
static void look_at(struct stream *stream, short pipe_events, short client_events)
{
    if (clock_monotonic_ns() > stream->deadline_ns)
        cut_off(stream, STATUS_TIMEOUT, "api.stream_timeout ran out");
    else if (stream->is_suspended && client_events)
        cut_off(stream, STATUS_SYSTEM, "the client hung up");
    else if (stream->is_suspended && stream->state != STREAM_WAITING && pipe_events)
        resume(stream);
}

/* Fill two entries a stream; those that nothing can be learned from are -1, which poll(2) skips. */
static nfds_t prepare(struct streams *streams, struct pollfd *polled, uint64_t *ids, int *timeout_ms)
{
    nfds_t count = 0;
    uint64_t now = clock_monotonic_ns();
    *timeout_ms = -1;
    polled[count++] = (struct pollfd){streams->wake, POLLIN, 0};
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        const struct stream *stream = streams->items[i];
        ids[i] = stream ? stream->id : 0;
        bool wants_pipe =
            stream && stream->is_suspended && stream->state != STREAM_WAITING && !stream->is_at_end;
        polled[count++] = (struct pollfd){wants_pipe ? stream->pipe : -1, POLLIN, 0};
        polled[count++] = (struct pollfd){stream && stream->is_suspended ? stream->client : -1, POLLRDHUP, 0};
        if (!stream || stream->state == STREAM_BROKEN || stream->state == STREAM_REFUSED)
            continue;
        uint64_t left_ms = stream->deadline_ns > now ? (stream->deadline_ns - now) / NS_PER_MS + 1 : 0;
        int capped = left_ms > 3600000 ? 3600000 : (int)left_ms;
        if (*timeout_ms < 0 || capped < *timeout_ms)
            *timeout_ms = capped;
    }
    return count;
}

static void *watch(void *context)
{
    struct streams *streams = context;
    struct pollfd polled[1 + 2 * STREAMS_MAX];
    uint64_t ids[STREAMS_MAX];
    pthread_mutex_lock(&streams->lock);
    while (!streams->is_stopping) {
        int timeout_ms;
        nfds_t count = prepare(streams, polled, ids, &timeout_ms);
        pthread_mutex_unlock(&streams->lock);
        int ready = poll(polled, count, timeout_ms);
        uint64_t ignored;
        if (ready > 0 && polled[0].revents && read(streams->wake, &ignored, sizeof(ignored)) < 0)
            ready = 0;
        pthread_mutex_lock(&streams->lock);
        for (size_t i = 0; ready >= 0 && i < STREAMS_MAX; i++)
            if (streams->items[i] && streams->items[i]->id == ids[i])
                look_at(streams->items[i], polled[1 + 2 * i].revents, polled[2 + 2 * i].revents);
    }
    pthread_mutex_unlock(&streams->lock);
    return NULL;
}

struct streams *streams_new(struct front *front)
{
    struct streams *streams = calloc(1, sizeof(*streams));
    if (!streams)
        return NULL;
    streams->front = front;
    pthread_mutex_init(&streams->lock, NULL);
    streams->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (streams->wake >= 0 && !pthread_create(&streams->thread, NULL, watch, streams))
        return streams;
    scoped_fd_run(&streams->wake);
    free(streams);
    return NULL;
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    streams_stop(streams);
    pthread_join(streams->thread, NULL);
    close(streams->wake);
    pthread_mutex_destroy(&streams->lock);
    free(streams);
}

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
            suspend(stream);
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
        suspend(stream); /* before the request goes out: its reply may come at once */
    pthread_mutex_unlock(&streams->lock);
    if (!stream)
        return request_error(request, 429, "too_many_streams",
                             "as many dumps as api.max_streams allows are running", 5);
    struct message_stream asked = *wanted;
    asked.id = stream->id;
    enum status status = front_request_stream(request->front, &asked, write_end, &err);
    pthread_mutex_lock(&streams->lock);
    if (status)
        cut_off(stream, status, err.message);
    pthread_mutex_unlock(&streams->lock);
    return MHD_YES;
}

static enum MHD_Result refuse(struct request *request, const struct message_stream_reply *reply)
{
    enum status status = reply->status < STATUS_COUNT ? (enum status)reply->status : STATUS_SYSTEM;
    if (status == STATUS_OK || status == STATUS_STOPPED)
        status = STATUS_SYSTEM;
    return request_error(request, (unsigned)status_http_code(status),
                         reply->code[0] ? reply->code : status_label(status), reply->message, 0);
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
    close_pipe(stream);
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
        resume(stream);
    }
    pthread_mutex_unlock(&streams->lock);
}

void streams_ended(struct streams *streams, const struct message_stream_reply *reply)
{
    pthread_mutex_lock(&streams->lock);
    struct stream *stream = find(streams, reply->id);
    if (stream && stream->state == STREAM_WAITING)
        cut_off(stream, STATUS_SYSTEM, reply->message);
    else if (stream && stream->state == STREAM_FLOWING) {
        stream->state = reply->status == STATUS_OK ? STREAM_FINISHED : STREAM_BROKEN;
        resume(stream);
    }
    pthread_mutex_unlock(&streams->lock);
}

void streams_peer_lost(struct streams *streams)
{
    pthread_mutex_lock(&streams->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (streams->items[i] && streams->items[i]->state != STREAM_FINISHED)
            cut_off(streams->items[i], STATUS_SYSTEM, "the scanner was restarted: ask again");
    pthread_mutex_unlock(&streams->lock);
}

void streams_stop(struct streams *streams)
{
    pthread_mutex_lock(&streams->lock);
    streams->is_stopping = true;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (streams->items[i])
            cut_off(streams->items[i], STATUS_SYSTEM, "the exporter is ending");
    pthread_mutex_unlock(&streams->lock);
    wake_thread(streams);
}
