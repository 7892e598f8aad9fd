/* stream_permit.c - what the configuration lets a stream be, checked again where the front is not trusted. */
#include <stdio.h>

#include "base/clock.h"
#include "inspect/inspection.h"
#include "roles/scanner/stream.h"

/* A failure that was set already, with a code of its own. */
static enum status refuse(struct stream *stream, enum status status, const char *code)
{
    snprintf(stream->reply.code, sizeof stream->reply.code, "%s", code);
    return status;
}

/* The consistency that the request may have; the lock is held. */
static enum status choose_consistency(struct stream *stream, const struct tracked *process, struct error *err)
{
    const struct config *config = stream->scanner->config;
    uint32_t own = (uint32_t)process->scan_config.consistency, wanted = stream->request.consistency;
    uint32_t strongest = config->api.max_consistency < 0 ? own : (uint32_t)config->api.max_consistency;
    bool has_content = stream->request.content_bytes > 0;
    if (wanted == UINT32_MAX)
        wanted = has_content ? CONSISTENCY_LIVE : own;
    if (has_content && wanted != CONSISTENCY_LIVE)
        return error_set(err, STATUS_USAGE, "content: only with consistency=live");
    if (wanted >= CONSISTENCY_COUNT)
        return error_set(err, STATUS_USAGE, "consistency: live, sliced and snapshot are allowed");
    if (wanted > strongest) {
        error_set(err, STATUS_PERMISSION,
                  "consistency %s is not allowed for this process: see api.max_consistency",
                  consistency_name((enum consistency)wanted));
        return refuse(stream, STATUS_PERMISSION, "consistency_not_allowed");
    }
    stream->job.request.consistency = (enum consistency)wanted;
    return STATUS_OK;
}

/* Contents of memory only where the configuration allows them; the lock is held. */
static enum status check_memory(struct stream *stream, struct error *err)
{
    bool gives_memory = stream->request.kind == STREAM_INSPECTION
                            ? inspection_gives_memory(&stream->request.question)
                            : stream->request.content_bytes > 0;
    if (!gives_memory || stream->scanner->config->api.memory)
        return STATUS_OK;
    error_set(err, STATUS_PERMISSION, "this gives contents of memory, and api.memory is false");
    return refuse(stream, STATUS_PERMISSION, "memory_disabled");
}

/* Whether the configuration lets this process be asked for, and how it is scanned; the lock is held. */
enum status stream_permit(struct stream *stream, struct error *err)
{
    struct scanner *scanner = stream->scanner;
    const struct tracked *process = tracked_find(&scanner->table, stream->request.pid);
    if (!scanner->config || !process || !process->group)
        return error_set(err, STATUS_NOT_SELECTED, "process %d is not one that the configuration selects",
                         (int)stream->request.pid);
    if (quarantines_find(&scanner->quarantines, &process->id, clock_monotonic_ns()))
        return error_set(err, STATUS_TIMEOUT, "process %d is left alone for a while: %s",
                         (int)stream->request.pid, process->result.message);
    stream->job = (struct scan_job){
        .procfs = scanner->start.procfs,
        .pid = process->id.pid,
        .start_time_ticks = process->id.start_time_ticks,
        .address_space = process->id.address_space,
        .timeout_ns = scanner->config->api.stream_timeout_ns,
        .threads = scanner->config->limits.scan_threads,
        .request = {.snapshot_budget_ns = process->scan_config.snapshot_max_pause_ns,
                    .slice_budget_ns = process->scan_config.max_pause_ns,
                    .read_swapped = process->scan_config.read_swapped,
                    .stops = &stream->stops,
                    .chunks = &stream->sink},
    };
    enum status status = check_memory(stream, err);
    if (status == STATUS_OK && stream->request.kind == STREAM_INSPECTION)
        return status;
    if (status == STATUS_OK)
        status = choose_consistency(stream, process, err);
    if (status == STATUS_OK && summary_has(stream->request.kind))
        return summary_begin(&stream->summary, &stream->request, &stream->job.request, err);
    /* only a snapshot keeps all chunks until its process was let go */
    if (status != STATUS_OK || stream->job.request.consistency != CONSISTENCY_SNAPSHOT)
        return status;
    stream->job.request.chunks = &stream->pack.sink;
    return chunk_pack_init(&stream->pack, scanner->config->api.snapshot_buffer_bytes, err);
}
