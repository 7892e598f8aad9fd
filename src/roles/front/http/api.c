/* api.c - health, reload, the list of processes and the dumps. */
#include <string.h>

#include "base/clock.h"
#include "roles/front/http/api.h"
#include "roles/front/http/handlers.h"
#include "roles/front/http/params.h"
#include "roles/front/http/streams.h"

#define READY_AFTER_NS (60 * NS_PER_SECOND)
#define NS_PER_SECOND_DOUBLE 1e9

static enum MHD_Result reply_text(struct request *request, const char *text)
{
    struct buffer body scoped_buffer = {0};
    buffer_text(&body, text);
    return request_reply(request, 200, "text/plain; charset=utf-8", &body);
}

enum MHD_Result handle_healthy(struct request *request)
{
    return reply_text(request, "healthy\n");
}

enum MHD_Result handle_ready(struct request *request)
{
    if (store_all_tried(request->front->store) ||
        clock_monotonic_ns() - request->front->started_ns >= READY_AFTER_NS)
        return reply_text(request, "ready\n");
    return request_error(request, 503, "not_ready", "not every process was tried once yet", 0);
}

enum MHD_Result handle_reload(struct request *request)
{
    struct error err;
    if (!request->front->start.enable_lifecycle)
        return request_error(request, 403, "access_denied",
                             "reloading over HTTP is off: see --web.enable-lifecycle", 0);
    if (front_request_reload(request->front, &err))
        return request_fail(request, &err);
    return reply_text(request, "reload requested; malloc_exporter_config_last_reload_successful says how it "
                               "went\n");
}

static void json_string(struct buffer *body, const char *key, const char *value)
{
    buffer_printf(body, ", \"%s\": \"", key);
    buffer_json_escaped(body, value);
    buffer_text(body, "\"");
}

static void json_u64(struct buffer *body, const char *key, uint64_t value)
{
    buffer_printf(body, ", \"%s\": ", key);
    buffer_u64(body, value);
}

static void json_numbers(struct buffer *body, const struct scan_numbers *numbers)
{
    json_u64(body, "active_bytes", numbers_active_bytes(numbers));
    json_u64(body, "free_bytes", numbers_free_bytes(numbers));
    json_u64(body, "system_bytes", numbers->system_bytes);
    json_u64(body, "overhead_bytes", numbers->overhead_bytes);
    json_u64(body, "unread_bytes", numbers->completeness.unread_bytes);
    json_u64(body, "last_scan_complete", numbers->is_complete ? 1 : 0);
    json_u64(body, "arenas", numbers->arenas);
    json_u64(body, "heaps", numbers->heap_count);
    json_u64(body, "corrupt_chunks", numbers->completeness.corrupt_count);
    for (int bytes = 0; bytes < 2; bytes++) {
        buffer_text(body, bytes ? ", \"chunk_bytes\": {" : ", \"chunks\": {");
        for (unsigned i = 0; i < CHUNK_STATE_COUNT; i++) {
            buffer_printf(body, "%s\"%s\": ", i ? ", " : "", chunk_state_name((enum chunk_state)i));
            buffer_u64(body, bytes ? numbers->states[i].bytes : numbers->states[i].chunks);
        }
        buffer_text(body, "}");
    }
}

static void json_arenas(struct buffer *body, const struct snapshot *snapshot)
{
    const struct arena_numbers *arenas = snapshot_arenas(snapshot);
    buffer_text(body, ", \"arena\": [");
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        uint64_t free_bytes = 0;
        for (unsigned state = 0; state < CHUNK_STATE_COUNT; state++)
            free_bytes += chunk_state_is_free((enum chunk_state)state) ? arenas[i].states[state].bytes : 0;
        buffer_printf(body, "%s{\"arena\": %u", i ? ", " : "", arenas[i].index);
        json_u64(body, "system_bytes", arenas[i].system_bytes);
        json_u64(body, "active_bytes", arenas[i].states[CHUNK_IN_USE].bytes);
        json_u64(body, "free_bytes", free_bytes);
        json_u64(body, "heaps", arenas[i].heaps);
        buffer_text(body, "}");
    }
    buffer_text(body, "]");
}

/* One process as an object. @with_arenas: all that /{pid} gives. */
static void json_process(struct buffer *body, const struct store_process *process, bool with_arenas)
{
    const struct snapshot *snapshot = process->snapshot;
    uint64_t now = clock_monotonic_ns();
    enum process_state state = store_state_at(process, now);
    buffer_printf(body, "{\"pid\": %d", snapshot->pid);
    json_string(body, "groupname", process->message.group);
    json_string(body, "comm", snapshot->labels.comm);
    json_string(body, "exe", snapshot->labels.exe);
    json_string(body, "allocator", snapshot->labels.allocator);
    json_string(body, "libc_version", snapshot->labels.libc_version);
    bool is_known = state == PROCESS_STATE_OK || state == PROCESS_STATE_FAILED;
    buffer_printf(body, ", \"up\": %s", !is_known ? "null" : state == PROCESS_STATE_OK ? "1" : "0");
    if (state == PROCESS_STATE_FAILED) {
        json_string(body, "last_scan_failure", failure_name(store_failure_at(process, now)));
        json_string(body, "message", process->message.message);
    }
    json_u64(body, "process_resident_memory_bytes", snapshot->resident_bytes);
    buffer_printf(body, ", \"process_start_time_seconds\": %.2f", snapshot->start_time_seconds);
    if (is_known) {
        buffer_printf(body, ", \"last_scan_timestamp_seconds\": %.3f, \"last_scan_duration_seconds\": %.6f",
                      (double)snapshot->timing.end_realtime_ns / NS_PER_SECOND_DOUBLE,
                      (double)snapshot->timing.duration_ns / NS_PER_SECOND_DOUBLE);
    }
    if (state == PROCESS_STATE_OK)
        json_numbers(body, &snapshot->numbers);
    if (state == PROCESS_STATE_OK && with_arenas)
        json_arenas(body, snapshot);
    buffer_text(body, "}");
}

enum status render_processes(struct request *request, struct buffer *body, struct error *err)
{
    struct store_view view scoped_view = {0};
    enum status status = store_view(request->front->store, &view, err);
    if (status != STATUS_OK)
        return status;
    buffer_text(body, "{\"processes\": [");
    for (size_t i = 0; i < view.process_count; i++) {
        buffer_text(body, i ? ",\n" : "\n");
        json_process(body, view.processes[i], false);
    }
    buffer_text(body, "]}\n");
    return STATUS_OK;
}

enum MHD_Result handle_processes(struct request *request)
{
    struct error err;
    if (params_none(request, &err))
        return request_fail(request, &err);
    return request_share(request, ANSWER_PROCESSES, "application/json", render_processes);
}

static enum MHD_Result refuse_unknown(struct request *request)
{
    if (store_has_ended(request->front->store, request->pid))
        return request_error(request, 410, "process_ended", "the process has ended", 0);
    return request_error(request, 404, "not_selected",
                         "the configuration selects no process with this pid, or it does not exist", 0);
}

struct store_process *api_find(struct request *request, enum MHD_Result *ret)
{
    struct store_process *process = store_find(request->front->store, request->pid);
    if (!process)
        *ret = refuse_unknown(request);
    return process;
}

enum MHD_Result api_answer(struct request *request, api_put *put)
{
    struct error err;
    enum MHD_Result result;
    if (params_none(request, &err))
        return request_fail(request, &err);
    struct store_process *process = api_find(request, &result);
    if (!process)
        return result;
    result = put(request, process);
    store_process_unref(process);
    return result;
}

static enum MHD_Result put_process(struct request *request, const struct store_process *process)
{
    struct buffer body scoped_buffer = {0};
    json_process(&body, process, true);
    buffer_text(&body, "\n");
    return request_reply(request, 200, "application/json", &body);
}

enum MHD_Result handle_process(struct request *request)
{
    return api_answer(request, put_process);
}

static enum MHD_Result stream(struct request *request, enum stream_kind kind)
{
    struct message_stream wanted;
    struct error err;
    enum MHD_Result result;
    if (params_read(request, kind, &wanted, &err))
        return request_fail(request, &err);
    if (wanted.content_bytes && !store_current_settings(request->front->store).api_memory)
        return request_error(request, 403, "memory_disabled",
                             "content gives memory contents, and api.memory is false", 0);
    struct store_process *process = api_find(request, &result);
    if (!process)
        return result;
    bool is_unsupported = process->message.state == PROCESS_STATE_UNSUPPORTED;
    store_process_unref(process);
    if (is_unsupported)
        return request_error(request, 415, "unsupported_allocator", "the process does not use glibc malloc",
                             0);
    if (request->is_head) {
        struct buffer empty scoped_buffer = {0};
        return request_reply(request, 200, dump_format_content_type((enum dump_format)wanted.format), &empty);
    }
    return streams_start(request, &wanted, dump_format_content_type((enum dump_format)wanted.format));
}

enum MHD_Result handle_chunks(struct request *request)
{
    return stream(request, STREAM_CHUNKS);
}

enum MHD_Result handle_sizes(struct request *request)
{
    return stream(request, STREAM_SIZES);
}

enum MHD_Result handle_arenas(struct request *request)
{
    return stream(request, STREAM_ARENAS);
}

enum MHD_Result handle_heapmap(struct request *request)
{
    return stream(request, STREAM_HEAPMAP);
}
