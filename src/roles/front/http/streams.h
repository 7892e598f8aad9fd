/*
 * streams.h - dumps: bytes that the scanner writes into a pipe, relayed to a client.
 *
 * A connection is suspended while there is nothing to relay. One thread looks at all pipes and clients; it
 * wakes a connection up, sees a hang-up (the pipe's end is closed at once, so that the walk ends) and keeps
 * api.stream_timeout. A dump ends cleanly only after the scanner's STREAM_END says so.
 */
#ifndef ROLES_FRONT_HTTP_STREAMS_H
#define ROLES_FRONT_HTTP_STREAMS_H

#include "roles/front/http/request.h"

/** At most so many, whatever api.max_streams says. */
#define STREAMS_MAX 64

/** None yet, and the thread that will look at them; streams_free() ends both. NULL: it could not be started.
 */
struct streams *streams_new(struct front *front);
/** Ends its thread; no stream may be left. NULL is allowed. */
void streams_free(struct streams *streams);

/** Ask the scanner for @wanted (its id is set here) and suspend the connection until it replies. */
enum MHD_Result streams_start(struct request *request, const struct message_stream *wanted,
                              const char *content_type);
/** The scanner has replied: begin to relay, or give its error. */
enum MHD_Result streams_answer(struct request *request);
/** The request is over: close the pipe. */
void streams_release(struct request *request);

/** STREAM_REPLY, STREAM_END; unknown ids are those of clients that left. */
void streams_reply(struct streams *streams, const struct message_stream_reply *reply);
void streams_ended(struct streams *streams, const struct message_stream_reply *reply);
/** The scanner died: cut all off. */
void streams_peer_lost(struct streams *streams);
/** Cut all off and begin no more. */
void streams_stop(struct streams *streams);

#endif
