/* streams.c - see streams.h. */
#include "roles/scanner/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "inspect/content.h"
#include "inspect/inspection.h"
#include "roles/scanner/inspections.h"
#include "roles/scanner/report.h"
#include "roles/scanner/scans.h"
#include "roles/scanner/schedule.h"
#include "roles/scanner/stream.h"
#include "roles/scanner/tools.h"
#include "roles/scanner/watch.h"

/* A hang-up is looked for each that many batches of chunks, since a filter may let nothing through for long.
 */
#define BATCHES_A_LOOK 256

static void tell(struct stream *stream, enum message_kind kind)
{
    pthread_mutex_lock(&stream->scanner->lock);
    report_stream(stream->scanner, kind, &stream->reply);
    pthread_mutex_unlock(&stream->scanner->lock);
}

/* The first bytes are there: the answer is a dump and not an error. */
static void begin_reply(void *context)
{
    struct stream *stream = context;
    stream->reply.status = STATUS_OK;
    tell(stream, MESSAGE_STREAM_REPLY);
}

/* While a slow reader is awaited this thread hangs in nothing of the target's. */
static void set_waiting(void *context, bool begins)
{
    struct stream *stream = context;
    watch_set_limit(stream->scanner, stream->watched, begins ? UINT64_MAX : stream->pipe.limit_ns);
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct stream *stream = (struct stream *)sink;
    if (++stream->batches % BATCHES_A_LOOK == 0 && pipe_sink_is_closed(&stream->pipe))
        return false;
    return stream->dump.sink.consume(&stream->dump.sink, chunks, count);
}

static enum status prepare(struct stream *stream, struct error *err)
{
    pthread_mutex_lock(&stream->scanner->lock);
    enum status status = stream_permit(stream, err);
    pthread_mutex_unlock(&stream->scanner->lock);
    return status == STATUS_OK ? stream_take_share(stream, err) : status;
}

static enum status scan_chunks(struct stream *stream, struct snapshot **ret, struct error *err)
{
    char allocator[32] = "";
    scoped_target struct target *target = NULL;
    enum status status = scan_open(&stream->job, &target, err);
    if (status != STATUS_OK)
        return status;
    struct content *content = NULL;
    if (stream->request.content_bytes) {
        content = content_new(target, stream->job.request.read_swapped);
        if (!content)
            return error_set(err, STATUS_NO_MEMORY, "no memory for contents");
        dump_add_content(&stream->dump, stream->request.content_bytes, content_read, content);
    }
    status = scan_live(&stream->job, target, allocator, ret, err);
    content_free(content);
    return status;
}

static enum status walk(struct stream *stream, struct tools *tools, struct snapshot **ret, struct error *err)
{
    struct scanner *scanner = stream->scanner;
    struct message_process_id id = {.pid = stream->job.pid,
                                    .start_time_ticks = stream->job.start_time_ticks,
                                    .address_space = stream->job.address_space};
    tools_lend(tools, &stream->job);
    enum status status = scanner_tell_keeper(scanner, MESSAGE_SCAN_BEGIN, &id, err);
    if (status != STATUS_OK)
        return status;
    stream->watched =
        watch_begin(scanner, &id, clock_monotonic_ns() + stream->job.timeout_ns, stream->job.request.threads);
    status = stream->request.kind == STREAM_INSPECTION
                 ? inspections_answer(&stream->job, &stream->request.question, &stream->pipe, err)
                 : scan_chunks(stream, ret, err);
    watch_end(scanner, stream->watched);
    stream->watched = NULL;
    stream_give_share(stream);
    enum status told = scanner_tell_keeper(scanner, MESSAGE_SCAN_END, &id, NULL);
    return told != STATUS_OK ? told : status;
}

/* A snapshot's chunks, after its process was let go. */
static enum status send_packed(struct stream *stream, struct error *err)
{
    if (stream->pack.is_full)
        return error_set(err, STATUS_TOO_LARGE,
                         "the chunks of a snapshot of process %d need more than api.snapshot_buffer (%zu "
                         "bytes): raise it, or ask with consistency=live",
                         (int)stream->request.pid, stream->pack.size_bytes);
    return chunk_pack_send(&stream->pack, &stream->sink) ? STATUS_OK : STATUS_STOPPED;
}

/* An answer that is one body, made of what the walk was summed up to. */
static enum status run_summary(struct stream *stream, struct tools *tools, struct error *err)
{
    struct snapshot *snapshot = NULL;
    enum status status = walk(stream, tools, &snapshot, err);
    if (status == STATUS_OK)
        status = summary_send(&stream->summary, snapshot, pipe_sink_write, &stream->pipe, err);
    snapshot_unref(snapshot);
    return status == STATUS_STOPPED ? error_set(err, STATUS_TIMEOUT, "the reader hung up") : status;
}

static enum status run(struct stream *stream, struct tools *tools, struct error *err)
{
    struct snapshot *snapshot = NULL;
    enum status status = walk(stream, tools, &snapshot, err);
    bool is_complete = snapshot && snapshot->numbers.is_complete;
    uint64_t tcaches_missing = snapshot ? snapshot->numbers.tcaches_missing : 0;
    snapshot_unref(snapshot);
    if (stream->pack.block && (status == STATUS_OK || stream->pack.is_full))
        status = send_packed(stream, err);
    if (status == STATUS_STOPPED && stream->dump.is_limited)
        status = STATUS_OK;
    if (status == STATUS_STOPPED || stream->dump.has_failed)
        return error_set(err, STATUS_TIMEOUT,
                         stream->pipe.is_late ? "the reader was too slow: see api.stream_timeout"
                                              : "the reader hung up");
    if (stream->request.kind == STREAM_INSPECTION)
        return status;
    is_complete |= stream->dump.is_limited;
    if (status == STATUS_OK && !dump_end(&stream->dump, is_complete, tcaches_missing))
        return error_set(err, STATUS_TIMEOUT, "the reader hung up");
    return status;
}

static void log_end(const struct stream *stream, enum status status)
{
    char pid[16], records[24];
    if (!log_enabled(LOG_DEBUG))
        return;
    snprintf(pid, sizeof pid, "%d", (int)stream->request.pid);
    snprintf(records, sizeof records, "%llu", (unsigned long long)stream->dump.chunks);
    log_event(LOG_DEBUG, "stream ended", "pid", pid, "status", status_label(status), "records", records,
              NULL);
}

static void finish(struct stream *stream, enum status status, const struct error *err)
{
    log_end(stream, status);
    stream->reply.status = status;
    if (status != STATUS_OK)
        memcpy(stream->reply.message, err->message, sizeof stream->reply.message);
    if (!stream->pipe.has_begun && status != STATUS_OK)
        tell(stream, MESSAGE_STREAM_REPLY);
    else
        tell(stream, MESSAGE_STREAM_END);
}

static void *serve(void *context)
{
    struct stream *stream = context;
    struct scanner *scanner = stream->scanner;
    struct error err = {0};
    enum status status = prepare(stream, &err);
    struct tools *tools = status == STATUS_OK ? tools_take(scanner) : NULL;
    if (status == STATUS_OK && !tools)
        status = error_set(&err, STATUS_NO_MEMORY, "no memory for a dump");
    if (tools) {
        stream->pipe.limit_ns = clock_monotonic_ns() + stream->job.timeout_ns;
        status =
            summary_has(stream->request.kind) ? run_summary(stream, tools, &err) : run(stream, tools, &err);
        tools_give(scanner, tools);
    }
    stream_give_share(stream);
    finish(stream, status, &err);
    chunk_pack_deinit(&stream->pack);
    summary_end(&stream->summary);
    close(stream->pipe.fd);
    free(stream);
    pthread_mutex_lock(&scanner->lock);
    scanner->stream_count--;
    pthread_mutex_unlock(&scanner->lock);
    return NULL;
}

/* Nothing else ends with its reader and takes only so much. */
static bool is_pipe(int fd)
{
    struct stat stat;
    return fd >= 0 && fstat(fd, &stat) == 0 && S_ISFIFO(stat.st_mode);
}

static bool is_sound(const struct message_stream *request)
{
    if (request->pid <= 0 || request->format >= DUMP_FORMAT_COUNT)
        return false;
    if (request->kind == STREAM_INSPECTION)
        return inspection_check(&request->question, NULL) == STATUS_OK;
    return (request->kind == STREAM_CHUNKS || summary_has(request->kind)) &&
           request->content_bytes <= DUMP_CONTENT_MAX &&
           (request->kind != STREAM_HEAPMAP || (request->cells >= 1 && request->cells <= CELLS_WANTED_MAX));
}

static struct stream *new_stream(struct scanner *scanner, const struct message_stream *request, int pipe_fd)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    const struct dump_filter filter = {.states = request->states,
                                       .has_arena = request->has_arena != 0,
                                       .arena = request->arena,
                                       .min_bytes = request->min_bytes,
                                       .max_bytes = request->max_bytes,
                                       .limit = request->limit};
    stream->sink.consume = consume;
    stream->scanner = scanner;
    stream->request = *request;
    stream->reply.id = request->id;
    stream->pipe = (struct pipe_sink){
        .fd = pipe_fd, .before_first = begin_reply, .waiting = set_waiting, .context = stream};
    dump_begin(&stream->dump, (enum dump_format)request->format, &filter, pipe_sink_write, &stream->pipe);
    return stream;
}

static bool take_place(struct scanner *scanner)
{
    pthread_mutex_lock(&scanner->lock);
    bool has_room = scanner->stream_count < SCANNER_STREAMS_MAX;
    scanner->stream_count += has_room;
    pthread_mutex_unlock(&scanner->lock);
    return has_room;
}

static void answer_refusal(struct scanner *scanner, uint64_t id, enum status status, const char *why)
{
    struct message_stream_reply reply = {.id = id, .status = status};
    snprintf(reply.message, sizeof reply.message, "%s", why);
    pthread_mutex_lock(&scanner->lock);
    report_stream(scanner, MESSAGE_STREAM_REPLY, &reply);
    pthread_mutex_unlock(&scanner->lock);
}

void streams_begin(struct scanner *scanner, struct message *message)
{
    const struct message_stream *request = message->body;
    if (!is_pipe(message->fd) || !is_sound(request)) {
        answer_refusal(scanner, request->id, STATUS_USAGE, "this dump is not one that can be had");
        return;
    }
    fcntl(message->fd, F_SETFL, fcntl(message->fd, F_GETFL) | O_NONBLOCK);
    if (!take_place(scanner)) {
        answer_refusal(scanner, request->id, STATUS_TIMEOUT, "too many dumps run already");
        return;
    }
    pthread_t thread;
    struct stream *stream = new_stream(scanner, request, message->fd);
    if (stream && pthread_create(&thread, NULL, serve, stream) == 0) {
        pthread_detach(thread);
        message->fd = -1; /* the stream's now */
        return;
    }
    free(stream);
    pthread_mutex_lock(&scanner->lock);
    scanner->stream_count--;
    pthread_mutex_unlock(&scanner->lock);
    answer_refusal(scanner, request->id, STATUS_NO_MEMORY, "no memory for a dump");
}
