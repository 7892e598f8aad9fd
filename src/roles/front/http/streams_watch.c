/* streams_watch.c - the thread that watches all dumps: their pipes, their clients, their time. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "roles/front/http/streams_internal.h"

static void wake_thread(struct streams *streams)
{
    uint64_t one = 1;
    ssize_t written = write(streams->wake, &one, sizeof(one));
    (void)written; /* a full counter wakes as well */
}

void stream_close_pipe(struct stream *stream)
{
    if (stream->pipe >= 0)
        close(take_fd(&stream->pipe));
}

void stream_resume(struct stream *stream)
{
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection);
}

void stream_suspend(struct stream *stream)
{
    stream->is_suspended = true;
    MHD_suspend_connection(stream->connection);
    wake_thread(stream->owner);
}

void stream_cut_off(struct stream *stream, enum status status, const char *message)
{
    if (stream->state == STREAM_WAITING) {
        stream->state = STREAM_REFUSED;
        stream->reply.status = status;
        snprintf(stream->reply.message, sizeof(stream->reply.message), "%s", message);
    } else if (stream->state != STREAM_REFUSED) {
        stream->state = STREAM_BROKEN;
    }
    stream_close_pipe(stream);
    stream_resume(stream);
}

/* What poll(2) said of a stream, or what the time says. */
static void look_at(struct stream *stream, short pipe_events, short client_events)
{
    if (clock_monotonic_ns() > stream->deadline_ns)
        stream_cut_off(stream, STATUS_TIMEOUT, "api.stream_timeout ran out");
    else if (stream->is_suspended && client_events)
        stream_cut_off(stream, STATUS_SYSTEM, "the client hung up");
    else if (stream->is_suspended && stream->state != STREAM_WAITING && pipe_events)
        stream_resume(stream);
}

/* Where a stream is in what is polled; 0: there is nothing to learn of it. */
struct watched {
    uint64_t id;
    nfds_t pipe, client;
};

static nfds_t append(struct pollfd *polled, nfds_t *count, int fd, short events)
{
    polled[*count] = (struct pollfd){fd, events, 0};
    return (*count)++;
}

/* Fill the entries and what timeout the streams have. The first is for the eventfd; no more entries than
 * descriptors, or poll(2) refuses them where RLIMIT_NOFILE is low. */
static nfds_t prepare(struct streams *streams, struct pollfd *polled, struct watched *watched,
                      int *timeout_ms)
{
    nfds_t count = 0;
    uint64_t now = clock_monotonic_ns();
    *timeout_ms = -1;
    append(polled, &count, streams->wake, POLLIN);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        const struct stream *stream = streams->items[i];
        watched[i] = (struct watched){.id = stream ? stream->id : 0};
        if (!stream)
            continue;
        if (stream->is_suspended && stream->state != STREAM_WAITING && !stream->is_at_end &&
            stream->pipe >= 0)
            watched[i].pipe = append(polled, &count, stream->pipe, POLLIN);
        if (stream->is_suspended)
            watched[i].client = append(polled, &count, stream->client, POLLRDHUP);
        if (stream->state == STREAM_BROKEN || stream->state == STREAM_REFUSED)
            continue;
        uint64_t left_ms = stream->deadline_ns > now ? (stream->deadline_ns - now) / NS_PER_MS + 1 : 0;
        int capped = left_ms > 3600000 ? 3600000 : (int)left_ms;
        if (*timeout_ms < 0 || capped < *timeout_ms)
            *timeout_ms = capped;
    }
    return count;
}

static short events_at(const struct pollfd *polled, nfds_t at)
{
    return at ? polled[at].revents : 0;
}

static void *watch(void *context)
{
    struct streams *streams = context;
    struct pollfd polled[1 + 2 * STREAMS_MAX];
    struct watched watched[STREAMS_MAX];
    pthread_mutex_lock(&streams->lock);
    while (!streams->is_stopping) {
        int timeout_ms;
        nfds_t count = prepare(streams, polled, watched, &timeout_ms);
        pthread_mutex_unlock(&streams->lock);
        int ready = poll(polled, count, timeout_ms);
        uint64_t ignored;
        if (ready > 0 && polled[0].revents && read(streams->wake, &ignored, sizeof(ignored)) < 0)
            ready = 0;
        pthread_mutex_lock(&streams->lock);
        for (size_t i = 0; ready >= 0 && i < STREAMS_MAX; i++)
            if (streams->items[i] && streams->items[i]->id == watched[i].id)
                look_at(streams->items[i], events_at(polled, watched[i].pipe),
                        events_at(polled, watched[i].client));
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

void streams_peer_lost(struct streams *streams)
{
    pthread_mutex_lock(&streams->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (streams->items[i] && streams->items[i]->state != STREAM_FINISHED)
            stream_cut_off(streams->items[i], STATUS_SYSTEM, "the scanner was restarted: ask again");
    pthread_mutex_unlock(&streams->lock);
}

void streams_stop(struct streams *streams)
{
    pthread_mutex_lock(&streams->lock);
    streams->is_stopping = true;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (streams->items[i])
            stream_cut_off(streams->items[i], STATUS_SYSTEM, "the exporter is ending");
    pthread_mutex_unlock(&streams->lock);
    wake_thread(streams);
}
