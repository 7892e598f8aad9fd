/* chunks.c - see chunks.h. */
#include "cli/chunks.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "inspect/content.h"
#include "roles/scanner/chunk_pack.h"

/* Some hundred million chunks; pages that stay empty cost nothing. */
#define PACK_BYTES ((size_t)1 << 30)

static enum dump_format dump_format_of(enum output_format format)
{
    return format == OUTPUT_JSON   ? DUMP_JSON
           : format == OUTPUT_CSV  ? DUMP_CSV
           : format == OUTPUT_TEXT ? DUMP_TEXT
                                   : DUMP_NDJSON;
}

static void content_end(struct content **content)
{
    content_free(*content);
}

/* Live, or of a core: the chunks go out as they come. */
static enum status print_now(struct session *session, struct dump *dump, struct snapshot **ret,
                             struct error *err)
{
    const struct oneshot_options *options = session->options;
    scoped(content_end) struct content *content = NULL;
    if (options->content_bytes) {
        content = content_new(session->target, options->read_swapped);
        if (!content)
            return error_set(err, STATUS_NO_MEMORY, "no memory for contents");
        dump_add_content(dump, options->content_bytes, content_read, content);
    }
    return session_scan_opened(session, false, &dump->sink, ret, err);
}

/* Output is never awaited while the process stands still. */
static enum status print_later(struct session *session, struct dump *dump, struct snapshot **ret,
                               struct error *err)
{
    scoped(chunk_pack_deinit) struct chunk_pack pack = {0};
    if (session->options->content_bytes)
        return error_set(err, STATUS_USAGE, "--content: only with --consistency live");
    enum status status = chunk_pack_init(&pack, PACK_BYTES, err);
    if (status != STATUS_OK)
        return status;
    status = session_scan_opened(session, false, &pack.sink, ret, err);
    if (pack.is_full)
        return error_set(err, STATUS_TOO_LARGE,
                         "the chunks need more than %zu bytes: ask with --consistency live", pack.size_bytes);
    if (status == STATUS_OK && !chunk_pack_send(&pack, &dump->sink))
        return STATUS_STOPPED;
    return status;
}

enum status chunks_print(const struct oneshot_options *options, const struct session_helpers *helpers,
                         dump_write write, struct error *err)
{
    scoped_session struct session session = {0};
    struct snapshot *snapshot = NULL;
    scoped_free struct dump *dump = malloc(sizeof *dump);
    const struct dump_filter filter = {.states = options->states,
                                       .has_arena = options->has_arena,
                                       .arena = options->arena,
                                       .min_bytes = options->min_bytes,
                                       .max_bytes = options->max_bytes,
                                       .limit = options->limit};
    if (!dump)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the dump");
    enum status status = session_open(&session, options, helpers, err);
    if (status != STATUS_OK)
        return status;
    dump_begin(dump, dump_format_of(options->format), &filter, write, NULL);
    bool is_held = options->consistency == CONSISTENCY_SNAPSHOT && !options->core;
    status = (is_held ? print_later : print_now)(&session, dump, &snapshot, err);
    bool is_complete = snapshot ? snapshot->numbers.is_complete : dump->is_limited;
    uint64_t tcaches_missing = snapshot ? snapshot->numbers.tcaches_missing : 0;
    snapshot_unref(snapshot);
    if (status == STATUS_STOPPED && dump->is_limited)
        status = STATUS_OK;
    if (status == STATUS_OK && !dump_end(dump, is_complete, tcaches_missing))
        return error_set(err, STATUS_STOPPED, "stdout is closed");
    return status;
}
