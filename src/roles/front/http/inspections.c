/*
 * inspections.c - the paths that ask one question about a process (model/question.h): the scanner answers,
 * into a pipe; advice alone comes from the latest numbers, so that it is as cheap as a scrape.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "inspect/advice.h"
#include "inspect/inspection.h"
#include "roles/front/http/api.h"
#include "roles/front/http/handlers.h"
#include "roles/front/http/params.h"
#include "roles/front/http/router.h"
#include "roles/front/http/streams.h"

static bool append(void *context, const char *data, size_t length)
{
    struct buffer *body = context;
    buffer_append(body, data, length);
    return !body->failed;
}

static enum MHD_Result reply_advice(struct request *request, const struct snapshot *snapshot)
{
    struct buffer body scoped_buffer = {0};
    struct error err;
    struct report *report scoped_free = malloc(sizeof(*report));
    if (!report) {
        error_set(&err, STATUS_NO_MEMORY, "no memory for a report");
        return request_fail(request, &err);
    }
    report_begin(report, REPORT_JSON, append, &body);
    report_key(report, "pid", NULL);
    report_count(report, (uint64_t)snapshot->pid);
    report_key(report, "comm", NULL);
    report_text(report, snapshot->labels.comm);
    advice_put(snapshot, report);
    if (report_end(report, &err) != STATUS_OK)
        return request_fail(request, &err);
    return request_reply(request, 200, "application/json", &body);
}

/* The last scan failed, or is so old that its numbers say nothing any more. */
static enum MHD_Result refuse_failed(struct request *request, const struct store_process *process)
{
    struct error err;
    enum status status = (enum status)process->message.failure_status;
    if (process->message.state == PROCESS_STATE_FAILED && status != STATUS_OK && status != STATUS_STOPPED)
        error_set(&err, status, "%s", process->message.message);
    else
        error_set(&err, STATUS_TIMEOUT, "the last result is too old to say anything");
    return request_fail(request, &err);
}

static enum MHD_Result put_advice(struct request *request, const struct store_process *process)
{
    switch (store_state_at(process, clock_monotonic_ns())) {
    case PROCESS_STATE_OK:
        return reply_advice(request, process->snapshot);
    case PROCESS_STATE_UNSUPPORTED:
        return request_error(request, 415, "unsupported_allocator", "the process does not use glibc malloc",
                             0);
    case PROCESS_STATE_WAITING:
        return request_error(request, 503, "not_ready", "the process was not scanned yet", 1);
    default:
        return refuse_failed(request, process);
    }
}

enum MHD_Result handle_advice(struct request *request)
{
    return api_answer(request, put_advice);
}

/* What the path itself says: the address, or the structure's name. */
static enum status take_rest(const char *rest, struct inspection_question *question, struct error *err)
{
    if (question->kind == INSPECTION_ADDRESS) {
        question->has_at = inspection_parse_address(rest, &question->at);
        return question->has_at ? STATUS_OK
                                : error_set(err, STATUS_USAGE,
                                            "address: allowed are hexadecimal digits, with or without 0x");
    }
    if (question->kind == INSPECTION_STRUCT && !inspection_set_text(question, rest))
        return error_set(err, STATUS_USAGE, "struct: a name of at most %d bytes is allowed",
                         INSPECTION_TEXT_MAX);
    return STATUS_OK;
}

enum MHD_Result handle_inspection(struct request *request)
{
    struct message_stream wanted;
    struct error err;
    enum MHD_Result result;
    if (params_read_inspection(request, request->route->inspection, &wanted, &err) ||
        take_rest(request->rest, &wanted.question, &err) || inspection_check(&wanted.question, &err))
        return request_fail(request, &err);
    if (inspection_gives_memory(&wanted.question) &&
        !store_current_settings(request->front->store).api_memory)
        return request_error(request, 403, "memory_disabled",
                             "this gives contents of memory, and api.memory is false", 0);
    struct store_process *process = api_find(request, &result);
    if (!process)
        return result;
    store_process_unref(process);
    if (request->is_head) {
        struct buffer empty scoped_buffer = {0};
        return request_reply(request, 200, "application/json", &empty);
    }
    return streams_start(request, &wanted, "application/json");
}
