/* streams_internal.h - a dump as the connection's thread and the one that watches share it; of streams*.c
 * only. */
#ifndef ROLES_FRONT_HTTP_STREAMS_INTERNAL_H
#define ROLES_FRONT_HTTP_STREAMS_INTERNAL_H

#include <pthread.h>

#include "roles/front/http/streams.h"

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

/** All that are under way, and the thread that looks at them. @wake: an eventfd that it waits for. */
struct streams {
    struct front *front;
    pthread_mutex_t lock;
    pthread_t thread;
    int wake;
    bool is_stopping;
    uint64_t last_id;
    struct stream *items[STREAMS_MAX];
};

/* The lock is held for all of these. */
void stream_close_pipe(struct stream *stream);
/** Until stream_resume(); the watching thread looks at pipe and client meanwhile. */
void stream_suspend(struct stream *stream);
void stream_resume(struct stream *stream);
/** It ends now: refused with @status and @message where its answer has not begun, else broken off. */
void stream_cut_off(struct stream *stream, enum status status, const char *message);

#endif
