/* strings.c - runs of printable ASCII characters in what a process can write: heap, stacks, data. */
#include <string.h>

#include "base/cleanup.h"
#include "inspect/kinds.h"
#include "inspect/places.h"
#include "inspect/sweep.h"

/* A longer one goes on in the next record. */
#define PIECE_MAX 4096u

struct finder {
    struct report *report;
    const struct places *places;
    uint64_t least, limit, found;
    uint64_t start, next;
    const struct mapping *mapping;
    size_t length;
    bool is_continued; /* it has gone on from the record before */
    char text[PIECE_MAX + 1];
};

static const struct report_column COLUMNS[] = {
    {"address", "ADDRESS", 18, true}, {"length", "LENGTH", 6, true}, {"kind", "KIND", 9, false},
    {"continues", NULL, 0, false},    {"text", "TEXT", 0, false},
};

/* End the run; false where that was the last that is wanted. */
static bool flush(struct finder *finder, bool goes_on)
{
    if (finder->length >= finder->least || finder->is_continued) {
        finder->text[finder->length] = '\0';
        report_address(finder->report, finder->start);
        report_count(finder->report, finder->length);
        report_text(
            finder->report,
            place_name((enum place)finder->places->kinds[finder->mapping - finder->places->maps.rows]));
        report_bool(finder->report, goes_on);
        report_text(finder->report, finder->text);
        finder->found++;
    }
    finder->length = 0;
    finder->is_continued = goes_on;
    return finder->limit == 0 || finder->found < finder->limit;
}

static inline bool is_printable(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t';
}

static bool take(void *context, const struct mapping *mapping, uint64_t address, const uint8_t *data,
                 size_t length, size_t carried)
{
    struct finder *finder = context;
    (void)carried;
    bool is_apart = finder->next != address || finder->mapping != mapping;
    if (finder->length && is_apart && !flush(finder, false))
        return false;
    finder->mapping = mapping;
    finder->next = address + length;
    for (size_t i = 0; i < length; i++) {
        if (!is_printable(data[i])) {
            if (finder->length && !flush(finder, false))
                return false;
            continue;
        }
        if (finder->length == PIECE_MAX && !flush(finder, true))
            return false;
        if (finder->length == 0)
            finder->start = address + i;
        finder->text[finder->length++] = (char)data[i];
    }
    return true;
}

enum status inspect_strings(const struct inspection *inspection, const struct inspection_question *question,
                            struct report *report, struct error *err)
{
    scoped_places struct places places = {0};
    scoped_free struct finder *finder = calloc(1, sizeof *finder);
    if (!finder)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a window");
    enum status status = places_find(inspection, true, NULL, 0, &places, err);
    if (status != STATUS_OK)
        return status;
    finder->report = report;
    finder->places = &places;
    finder->least = question->length ? question->length : INSPECTION_STRINGS_MIN;
    finder->limit = question->limit;
    struct sweep sweep = {.inspection = inspection,
                          .report = report,
                          .maps = &places.maps,
                          .only_writable = true,
                          .take = take,
                          .context = finder};
    inspect_head(inspection, report);
    places_put_errors(&places, report);
    report_table(report, "strings", COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    status = sweep_run(&sweep, err);
    if (status != STATUS_OK)
        return status;
    if (!sweep.is_ended && finder->length && !flush(finder, false))
        sweep.is_ended = true;
    report_table_end(report);
    report_key(report, "found", NULL);
    report_count(report, finder->found);
    report_key(report, "limited", NULL);
    report_bool(report, sweep.is_ended);
    report_key(report, "read_bytes", NULL);
    report_bytes(report, sweep.read_bytes);
    report_key(report, "unread_bytes", NULL);
    report_bytes(report, sweep.unread_bytes + sweep.swapped_bytes);
    return STATUS_OK;
}
