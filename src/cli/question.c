/* question.c - see question.h. */
#include "cli/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/oneshot_flags.h"
#include "cli/progress.h"
#include "roles/scanner/scan_process.h"
#include "target/core.h"
#include "target/live.h"

static enum status take_address(const char *text, struct inspection_question *question, struct error *err)
{
    if (!inspection_parse_address(text, &question->at))
        return error_set(err, STATUS_USAGE, "\"%s\" is no address: hexadecimal digits, with or without 0x",
                         text);
    question->has_at = true;
    return STATUS_OK;
}

static enum status take_text(const char *text, struct inspection_question *question, struct error *err)
{
    if (!inspection_set_text(question, text))
        return error_set(err, STATUS_USAGE, "\"%.20s…\" is too long: %d bytes are allowed", text,
                         INSPECTION_TEXT_MAX);
    return STATUS_OK;
}

static enum status take_needle(const struct oneshot_options *options, struct inspection_question *question,
                               struct error *err)
{
    const char *needle = options->needle;
    if (!needle)
        return error_set(err, STATUS_USAGE, "search: for what? --bytes HEX, --text TEXT or --pointer HEX");
    if (options->needle_kind == ONESHOT_POINTER) {
        question->is_pointer = true;
        return take_address(needle, question, err);
    }
    if (options->needle_kind == ONESHOT_BYTES &&
        !inspection_parse_bytes(needle, question->needle, &question->needle_length))
        return error_set(err, STATUS_USAGE, "--bytes: \"%.40s\" is no row of 1 to %d bytes in hexadecimal",
                         needle, INSPECTION_TEXT_MAX);
    if (options->needle_kind == ONESHOT_TEXT) {
        if (!*needle || strlen(needle) > INSPECTION_TEXT_MAX)
            return error_set(err, STATUS_USAGE, "--text: 1 to %d bytes are allowed", INSPECTION_TEXT_MAX);
        question->needle_length = (uint32_t)strlen(needle);
        memcpy(question->needle, needle, question->needle_length);
    }
    return STATUS_OK;
}

/* An address and a length, or the name of a region. */
static enum status take_range(const struct oneshot_options *options, struct inspection_question *question,
                              struct error *err)
{
    if (!options->operands[1])
        return take_text(options->operands[0], question, err);
    enum status status = take_address(options->operands[0], question, err);
    if (status == STATUS_OK)
        status = oneshot_parse_u64("LENGTH", options->operands[1], 1, INSPECTION_MEMORY_MAX,
                                   &question->length, err);
    return status;
}

static enum status take_struct(const struct oneshot_options *options, struct inspection_question *question,
                               struct error *err)
{
    enum status status = take_text(options->operands[0], question, err);
    if (status == STATUS_OK && options->operands[1])
        status = take_address(options->operands[1], question, err);
    return status;
}

enum status question_parse(enum inspection_kind kind, const struct oneshot_options *options,
                           struct inspection_question *ret, struct error *err)
{
    struct inspection_question question = {.kind = kind, .is_exact = options->exact, .limit = options->limit};
    enum status status = STATUS_OK;
    if (kind == INSPECTION_SYMBOLS)
        status = take_text(options->operands[0], &question, err);
    else if (kind == INSPECTION_ADDRESS)
        status = take_address(options->operands[0], &question, err);
    else if (kind == INSPECTION_STRUCT)
        status = take_struct(options, &question, err);
    else if (kind == INSPECTION_MEMORY)
        status = take_range(options, &question, err);
    else if (kind == INSPECTION_SEARCH)
        status = take_needle(options, &question, err);
    else if (kind == INSPECTION_STRINGS)
        question.length = options->min_length;
    if (status == STATUS_OK)
        status = inspection_check(&question, err);
    if (status == STATUS_OK)
        *ret = question;
    return status;
}

static uint64_t deadline_of(const struct session *session)
{
    const struct target *target = session->target;
    uint64_t timeout_ns = session->options->timeout_ns;
    if (!timeout_ns && session->options->core)
        return UINT64_MAX;
    if (!timeout_ns)
        timeout_ns = 6 * scan_timeout_ns(target_live_stat(target)->rss_pages * target->page_bytes);
    return clock_monotonic_ns() + timeout_ns;
}

static enum status answer(struct session *session, const struct inspection_question *question,
                          struct report *report, struct error *err)
{
    char comm[64];
    struct progress progress = {0};
    bool is_core = session->options->core != NULL;
    utf8_clean(comm, sizeof comm,
               is_core ? target_core_info(session->target)->comm : target_live_stat(session->target)->comm);
    struct inspection inspection = {.target = session->target,
                                    .comm = comm,
                                    .read_swapped = session->options->read_swapped,
                                    .deadline_ns = deadline_of(session),
                                    .progress = progress_show,
                                    .progress_context = &progress};
    scoped_fd int root_fd = -1;
    struct resolver_client *resolver = session->helpers->resolver;
    if (resolver)
        inspection.symbols = &resolver->source;
    if (resolver && !is_core && target_live_open_root(session->target, &root_fd, NULL) == STATUS_OK)
        resolver->target_root_fd = root_fd;
    enum status status = inspection_run(&inspection, question, report, err);
    if (resolver)
        resolver->target_root_fd = -1;
    progress_end(&progress);
    return status;
}

enum status question_answer(const struct oneshot_options *options, const struct session_helpers *helpers,
                            const struct inspection_question *question, report_write write, struct error *err)
{
    scoped_session struct session session = {0};
    scoped_free struct report *report = malloc(sizeof *report);
    if (!report)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a report");
    enum status status = session_open(&session, options, helpers, err);
    if (status != STATUS_OK)
        return status;
    report_begin(report, options->format == OUTPUT_JSON ? REPORT_JSON : REPORT_TEXT, write, NULL);
    status = answer(&session, question, report, err);
    return status == STATUS_OK ? report_end(report, err) : status;
}
