/* summaries.c - see summaries.h. */
#include "roles/scanner/summaries.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "encode/process_json.h"
#include "encode/summary.h"

bool summary_has(uint32_t kind)
{
    return kind == STREAM_SIZES || kind == STREAM_ARENAS || kind == STREAM_HEAPMAP;
}

static enum status begin_sizes(struct summary *summary, const struct message_stream *wanted,
                               struct scan_request *scan, struct error *err)
{
    const struct sizes_filter filter = {
        .states = wanted->states, .has_arena = wanted->has_arena != 0, .arena = wanted->arena};
    summary->sizes = malloc(sizeof *summary->sizes);
    if (!summary->sizes)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sizes");
    sizes_begin(summary->sizes, &filter);
    scan->chunks = &summary->sizes->sink;
    return STATUS_OK;
}

enum status summary_begin(struct summary *summary, const struct message_stream *wanted,
                          struct scan_request *scan, struct error *err)
{
    *summary = (struct summary){.kind = (enum stream_kind)wanted->kind, .top = wanted->top};
    if (summary->kind == STREAM_SIZES)
        return begin_sizes(summary, wanted, scan, err);
    scan->want_details = true;
    scan->chunks = NULL;
    if (summary->kind != STREAM_HEAPMAP)
        return STATUS_OK;
    scan->chunks = &summary->cells.sink;
    return cells_begin(&summary->cells, wanted->cells, err);
}

void summary_end(struct summary *summary)
{
    free(summary->sizes);
    cells_end(&summary->cells);
    *summary = (struct summary){0};
}

static enum status send_arenas(const struct snapshot *snapshot, report_write write, void *context,
                               struct error *err)
{
    scoped_buffer struct buffer body = {0};
    process_json_arenas(&body, snapshot);
    enum status status = buffer_status(&body, err);
    if (status == STATUS_OK && !write(context, body.data, body.length))
        status = STATUS_STOPPED;
    return status;
}

static enum status put_body(const struct summary *summary, const struct snapshot *snapshot,
                            struct report *report, struct error *err)
{
    struct size_list list = {0};
    struct heap_map map = {0};
    enum status status;
    if (summary->kind == STREAM_SIZES) {
        status = sizes_list(summary->sizes, summary->top, &list, err);
        if (status == STATUS_OK)
            summary_sizes(report, snapshot, &list);
        size_list_deinit(&list);
    } else {
        status = cells_map(&summary->cells, snapshot, &map, err);
        if (status == STATUS_OK)
            summary_heap_map(report, snapshot, &map);
        heap_map_deinit(&map);
    }
    return status;
}

enum status summary_send(struct summary *summary, const struct snapshot *snapshot, report_write write,
                         void *context, struct error *err)
{
    if (summary->kind == STREAM_ARENAS)
        return send_arenas(snapshot, write, context, err);
    scoped_free struct report *report = malloc(sizeof *report);
    if (!report)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the answer");
    report_begin(report, REPORT_JSON, write, context);
    enum status status = put_body(summary, snapshot, report, err);
    return status == STATUS_OK ? report_end(report, err) : status;
}
