/* inspection.c - see inspection.h: the table of kinds, and what is checked before. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "inspect/kinds.h"

static const struct {
    const char *name;
    bool has_memory;
} KINDS[INSPECTION_COUNT] = {
#define X(name, label, has_addresses, has_memory) [INSPECTION_##name] = {label, has_memory},
    INSPECTION_TABLE(X)
#undef X
};

static inspect_fn *const ANSWERS[INSPECTION_COUNT] = {
    [INSPECTION_MAPS] = inspect_maps,       [INSPECTION_STATUS] = inspect_status,
    [INSPECTION_SYMBOLS] = inspect_symbols, [INSPECTION_ADDRESS] = inspect_address,
    [INSPECTION_STRUCT] = inspect_struct,   [INSPECTION_MEMORY] = inspect_memory,
    [INSPECTION_STRINGS] = inspect_strings, [INSPECTION_SEARCH] = inspect_search,
};

bool inspection_gives_memory(const struct inspection_question *question)
{
    if (question->kind == INSPECTION_STRUCT)
        return strcmp(question->text, "malloc_state") != 0 && strcmp(question->text, "malloc_par") != 0;
    return KINDS[question->kind].has_memory;
}

static enum status check_memory(const struct inspection_question *question, struct error *err)
{
    if (question->has_text && question->text[0])
        return STATUS_OK;
    if (question->has_text || !question->has_at || question->length == 0 ||
        question->length > INSPECTION_MEMORY_MAX)
        return error_set(err, STATUS_USAGE,
                         "memory: an address in hexadecimal and a length from 1 to %" PRIu64
                         " bytes are wanted, or a region's name as maps shows it",
                         INSPECTION_MEMORY_MAX);
    if (question->at > UINT64_MAX - question->length)
        return error_set(err, STATUS_USAGE, "memory: that range goes beyond the last address");
    return STATUS_OK;
}

enum status inspection_check(const struct inspection_question *question, struct error *err)
{
    if (question->kind >= INSPECTION_COUNT || !memchr(question->text, '\0', sizeof question->text))
        return error_set(err, STATUS_USAGE, "no such question");
    if (question->limit > INSPECTION_LIMIT_MAX)
        return error_set(err, STATUS_USAGE, "limit: a whole number from 1 to %d", INSPECTION_LIMIT_MAX);
    switch (question->kind) {
    case INSPECTION_SYMBOLS:
    case INSPECTION_STRUCT:
        if (!question->has_text || !question->text[0])
            return error_set(err, STATUS_USAGE, "%s: a name is missing", KINDS[question->kind].name);
        return STATUS_OK;
    case INSPECTION_ADDRESS:
        if (!question->has_at)
            return error_set(err, STATUS_USAGE, "address: an address in hexadecimal is missing");
        return STATUS_OK;
    case INSPECTION_MEMORY:
        return check_memory(question, err);
    case INSPECTION_STRINGS:
        if (question->length > INSPECTION_STRINGS_MOST)
            return error_set(err, STATUS_USAGE, "min: a whole number from 1 to %d", INSPECTION_STRINGS_MOST);
        return STATUS_OK;
    case INSPECTION_SEARCH:
        if (!question->is_pointer &&
            (question->needle_length == 0 || question->needle_length > INSPECTION_TEXT_MAX))
            return error_set(err, STATUS_USAGE, "search: one of bytes, text and pointer, 1 to %d bytes",
                             INSPECTION_TEXT_MAX);
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}

enum status inspection_run(const struct inspection *inspection, const struct inspection_question *question,
                           struct report *report, struct error *err)
{
    enum status status = inspection_check(question, err);
    if (status == STATUS_OK)
        status = ANSWERS[question->kind](inspection, question, report, err);
    /* what was read must be of the process that was meant */
    if (status == STATUS_OK)
        status = target_still_same(inspection->target, err);
    return status == STATUS_OK ? report_status(report, err) : status;
}

void inspect_head(const struct inspection *inspection, struct report *report)
{
    report_key(report, "pid", NULL);
    report_count(report, (uint64_t)inspection->target->pid);
    report_key(report, "comm", NULL);
    report_text(report, inspection->comm);
}

enum status inspect_go_on(const struct inspection *inspection, const struct report *report, uint64_t done,
                          uint64_t total, struct error *err)
{
    enum status status = report_status(report, err);
    if (status != STATUS_OK)
        return status;
    if (inspection->progress && !inspection->progress(inspection->progress_context, done, total))
        return error_set(err, STATUS_STOPPED, "the reader is gone");
    if (clock_monotonic_ns() > inspection->deadline_ns)
        return error_set(err, STATUS_TIMEOUT, "the time given ran out: allow more, or ask for less");
    return STATUS_OK;
}

bool inspection_set_text(struct inspection_question *question, const char *text)
{
    size_t length = strlen(text);
    if (length > INSPECTION_TEXT_MAX)
        return false;
    memcpy(question->text, text, length + 1);
    question->has_text = true;
    return true;
}

static unsigned hex_digit(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

bool inspection_parse_address(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 16 || text[digits] != '\0')
        return false;
    for (; *text; text++)
        value = value << 4 | hex_digit(*text);
    *ret = value;
    return true;
}

bool inspection_parse_bytes(const char *text, uint8_t *ret, uint32_t *length)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    if (digits == 0 || digits % 2 != 0 || text[digits] != '\0' || digits / 2 > INSPECTION_TEXT_MAX)
        return false;
    for (size_t i = 0; i < digits; i += 2) {
        ret[i / 2] = (uint8_t)(hex_digit(text[i]) << 4 | hex_digit(text[i + 1]));
    }
    *length = (uint32_t)(digits / 2);
    return true;
}
