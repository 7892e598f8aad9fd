/* memory.c - the bytes of a range, or of a region that maps names. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "inspect/kinds.h"
#include "inspect/places.h"
#include "inspect/reader.h"

#define PIECE_BYTES (64u * 1024)
#define LINE_BYTES 16u

struct range {
    uint64_t start, end;
};

/* All mappings of that name, or of that kind, as one range from the first to the last that follow each other.
 */
static bool find_region(const struct places *places, const char *name, struct range *ret)
{
    bool is_found = false;
    for (size_t i = 0; i < places->maps.count; i++) {
        const struct mapping *row = &places->maps.rows[i];
        bool is_named =
            strcmp(row->name, name) == 0 || (name[0] == '[' && strncmp(row->name, name, strlen(name)) == 0);
        if (!is_named && !(strcmp(name, "[heap]") == 0 && places->kinds[i] == PLACE_HEAP))
            continue;
        if (is_found && ret->end != row->start)
            break;
        if (!is_found)
            ret->start = row->start;
        ret->end = row->end;
        is_found = true;
    }
    return is_found;
}

static void put_line(struct report *report, uint64_t address, const uint8_t *data, size_t length)
{
    char hex[LINE_BYTES * 3 + 2], text[LINE_BYTES + 1], *at = hex;
    for (size_t i = 0; i < LINE_BYTES; i++) {
        at += i < length ? sprintf(at, "%02x ", data[i]) : sprintf(at, "   ");
        if (i == LINE_BYTES / 2 - 1)
            *at++ = ' ';
        text[i] = i < length ? (data[i] >= 0x20 && data[i] < 0x7f ? (char)data[i] : '.') : '\0';
    }
    text[LINE_BYTES] = '\0';
    *at = '\0';
    report_line(report, "%16" PRIx64 "  %s |%s|", address, hex, text);
}

static const struct report_column PARTS[] = {{"address", NULL, 0, false},
                                             {"length", NULL, 0, false},
                                             {"what", NULL, 0, false},
                                             {"hex", NULL, 0, false}};

/* A run of bytes, or of what has none: @data NULL, @what says why. */
static void put_part(struct report *report, uint64_t address, uint64_t length, const char *what,
                     const uint8_t *data)
{
    if (report->format == REPORT_TEXT) {
        for (uint64_t i = 0; data && i < length; i += LINE_BYTES)
            put_line(report, address + i, data + i, (size_t)min_u64(length - i, LINE_BYTES));
        if (!data)
            report_line(report, "%16" PRIx64 "  %" PRIu64 " bytes: %s", address, length, what);
        return;
    }
    report_address(report, address);
    report_count(report, length);
    report_text(report, what);
    if (data)
        report_hex(report, data, (size_t)length);
    else
        report_none(report);
}

struct reading {
    const struct inspection *inspection;
    struct report *report;
    struct reader *reader;
    struct range range;
    uint64_t read_bytes;
    uint8_t *data;
};

static enum status read_range(struct reading *reading, struct error *err)
{
    uint64_t total = reading->range.end - reading->range.start;
    for (uint64_t at = reading->range.start; at < reading->range.end;) {
        enum reader_outcome outcome;
        uint64_t length =
            reader_next(reading->reader, at, reading->range.end, reading->data, PIECE_BYTES, &outcome);
        bool has_bytes = outcome == READER_BYTES;
        reading->read_bytes += has_bytes ? length : 0;
        put_part(reading->report, at, length, reader_text(outcome), has_bytes ? reading->data : NULL);
        at += length;
        enum status status =
            inspect_go_on(reading->inspection, reading->report, at - reading->range.start, total, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status put_range(struct reading *reading, struct error *err)
{
    struct report *report = reading->report;
    inspect_head(reading->inspection, report);
    report_key(report, "address", NULL);
    report_address(report, reading->range.start);
    report_key(report, "length", NULL);
    report_count(report, reading->range.end - reading->range.start);
    report_table(report, "parts", PARTS, sizeof PARTS / sizeof *PARTS);
    enum status status = read_range(reading, err);
    if (status != STATUS_OK)
        return status;
    report_table_end(report);
    report_key(report, "read_bytes", NULL);
    report_bytes(report, reading->read_bytes);
    return STATUS_OK;
}

static void end_reader(struct reader **reader)
{
    reader_free(*reader);
}

enum status inspect_memory(const struct inspection *inspection, const struct inspection_question *question,
                           struct report *report, struct error *err)
{
    scoped_places struct places places = {0};
    scoped_free uint8_t *data = malloc(PIECE_BYTES);
    enum status status =
        places_find(inspection, question->has_text && inspection->target->is_frozen, NULL, 0, &places, err);
    if (status != STATUS_OK)
        return status;
    struct reading reading = {.inspection = inspection,
                              .report = report,
                              .range = {question->at, question->at + question->length},
                              .data = data};
    if (question->has_text && !find_region(&places, question->text, &reading.range))
        return error_set(err, STATUS_NOT_FOUND, "no region is called \"%s\": maps shows their names",
                         question->text);
    if (!question->has_text && !maps_find(&places.maps, question->at))
        return error_set(err, STATUS_NOT_FOUND, "nothing is mapped at 0x%" PRIx64, question->at);
    scoped(end_reader) struct reader *reader = reader_new(inspection, &places.maps);
    if (!data || !reader)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a window");
    reading.reader = reader;
    return put_range(&reading, err);
}
