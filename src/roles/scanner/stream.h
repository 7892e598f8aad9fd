/* stream.h - one dump, or one answer to a question, under way; inside this folder only. */
#ifndef ROLES_SCANNER_STREAM_H
#define ROLES_SCANNER_STREAM_H

#include "encode/dump.h"
#include "roles/scanner/chunk_pack.h"
#include "roles/scanner/pipe_sink.h"
#include "roles/scanner/scan_process.h"
#include "roles/scanner/state.h"
#include "roles/scanner/summaries.h"

/** One dump under way. Allocated: it holds the dump's block. */
struct stream {
    struct chunk_sink sink; /* first: what the walk gives its chunks to */
    struct scanner *scanner;
    struct message_stream request;
    struct message_stream_reply reply;
    struct pipe_sink pipe;
    struct watched *watched;
    struct scan_job job;
    struct scan_timing stops; /* of the walk */
    bool has_share;           /* of its process' time to be stopped: it may stop it */
    struct chunk_pack pack;   /* of a dump under a stop */
    struct summary summary;   /* of what is one body */
    unsigned batches;
    struct dump dump;
};

/**
 * Whether the configuration lets this process be asked for that, and how it is scanned: fills @stream's job.
 * The scanner's lock is held. STATUS_NOT_SELECTED, STATUS_PERMISSION (with a code of its own), STATUS_USAGE.
 */
enum status stream_permit(struct stream *stream, struct error *err) must_check;

/** Take the share that it needs to stop its process, after a short wait where that is enough. STATUS_BUSY. */
enum status stream_take_share(struct stream *stream, struct error *err) must_check;

/** Give it back, with what it stopped the process for; nothing where it has none. */
void stream_give_share(struct stream *stream);

#endif
