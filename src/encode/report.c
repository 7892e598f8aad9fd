/* report.c - see report.h. */
#include "encode/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define LABEL_WIDTH 22

static void flush(struct report *report)
{
    if (report->status == STATUS_OK && report->used &&
        !report->write(report->context, report->block, report->used))
        report->status = STATUS_STOPPED;
    report->used = 0;
}

static void put(struct report *report, const char *data, size_t length)
{
    while (length > 0 && report->status == STATUS_OK) {
        size_t room = sizeof report->block - report->used, part = length < room ? length : room;
        memcpy(report->block + report->used, data, part);
        report->used += part;
        data += part;
        length -= part;
        if (report->used == sizeof report->block)
            flush(report);
    }
}

static void put_string(struct report *report, const char *text)
{
    put(report, text, strlen(text));
}

static void put_blanks(struct report *report, size_t count)
{
    static const char BLANKS[] = "                                                                ";
    for (; count > 0; count -= count < sizeof BLANKS - 1 ? count : sizeof BLANKS - 1)
        put(report, BLANKS, count < sizeof BLANKS - 1 ? count : sizeof BLANKS - 1);
}

/* Characters that a terminal shows for UTF-8 text, near enough. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void report_begin(struct report *report, enum report_format format, report_write write, void *context)
{
    memset(report, 0, offsetof(struct report, block));
    report->format = format;
    report->write = write;
    report->context = context;
    if (format == REPORT_JSON)
        put_string(report, "{");
}

enum status report_status(const struct report *report, struct error *err)
{
    if (report->status == STATUS_OK)
        return STATUS_OK;
    return error_set(err, report->status,
                     report->status == STATUS_STOPPED ? "the reader is gone" : "no memory for the answer");
}

enum status report_end(struct report *report, struct error *err)
{
    if (report->format == REPORT_JSON)
        put_string(report, "}\n");
    flush(report);
    return report_status(report, err);
}

void report_key(struct report *report, const char *key, const char *label)
{
    report->key = key;
    report->label = label;
}

static void put_json_key(struct report *report, const char *key)
{
    put_string(report, "\"");
    put_string(report, key);
    put_string(report, "\":");
}

void report_table(struct report *report, const char *key, const struct report_column *columns, unsigned count)
{
    report->columns = columns;
    report->column_count = count;
    report->column = 0;
    report->rows = 0;
    if (report->format == REPORT_JSON) {
        put_string(report, report->has_fields ? "," : "");
        put_json_key(report, key);
        put_string(report, "[");
        report->has_fields = true;
        return;
    }
    bool is_first = true;
    for (unsigned i = 0; i < count; i++) {
        if (!columns[i].title)
            continue;
        size_t length = width_of(columns[i].title),
               gap = columns[i].width > length ? columns[i].width - length : 0;
        put_string(report, is_first ? "" : "  ");
        put_blanks(report, columns[i].is_right ? gap : 0);
        put_string(report, columns[i].title);
        put_blanks(report, columns[i].is_right || i + 1 == count ? 0 : gap);
        is_first = false;
    }
    put_string(report, is_first ? "" : "\n");
}

void report_table_end(struct report *report)
{
    report->columns = NULL;
    if (report->format == REPORT_JSON)
        put_string(report, report->rows ? "\n]" : "]");
}

/* A value of a row: what JSON and text have of it. */
static void put_cell(struct report *report, const char *json, const char *text)
{
    const struct report_column *column = &report->columns[report->column];
    bool is_first = report->column == 0, is_last = report->column + 1 == report->column_count;
    if (report->format == REPORT_JSON) {
        put_string(report, !is_first ? "," : report->rows ? ",\n{" : "\n{");
        put_json_key(report, column->key);
        put_string(report, json);
        put_string(report, is_last ? "}" : "");
    } else {
        size_t length = width_of(text), gap = column->width > length ? column->width - length : 0;
        if (column->title) {
            put_string(report, is_first ? "" : "  ");
            put_blanks(report, column->is_right ? gap : 0);
            put_string(report, text);
            put_blanks(report, column->is_right || is_last ? 0 : gap);
        }
        put_string(report, is_last ? "\n" : "");
    }
    report->rows += is_last;
    report->column = is_last ? 0 : report->column + 1;
}

static void put_value(struct report *report, const char *json, const char *text)
{
    if (report->columns) {
        put_cell(report, json, text);
        return;
    }
    if (report->format == REPORT_JSON) {
        put_string(report, report->has_fields ? "," : "");
        put_json_key(report, report->key);
        put_string(report, json);
    } else if (report->label) {
        size_t length = width_of(report->label);
        put_string(report, report->label);
        put_blanks(report, length < LABEL_WIDTH ? LABEL_WIDTH - length : 1);
        put_string(report, text);
        put_string(report, "\n");
    }
    report->has_fields = true;
}

/* Bytes that a terminal would obey, or that break a line, as "\x1b". */
static void clean(struct buffer *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
        if (*at < 0x20 || *at == 0x7f || is_c1)
            buffer_printf(out, "\\x%02x", is_c1 ? *++at : *at);
        else
            buffer_append(out, at, 1);
    }
}

void report_text(struct report *report, const char *text)
{
    scoped_buffer struct buffer json = {0};
    scoped_buffer struct buffer plain = {0};
    if (!text) {
        report_none(report);
        return;
    }
    if (report->format == REPORT_JSON) {
        buffer_text(&json, "\"");
        buffer_json_escaped(&json, text);
        buffer_text(&json, "\"");
    } else {
        clean(&plain, text);
    }
    if (json.failed || plain.failed)
        report->status = STATUS_NO_MEMORY;
    put_value(report, buffer_string(&json), buffer_string(&plain));
}

void report_count(struct report *report, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    put_value(report, text, text);
}

void report_signed(struct report *report, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    put_value(report, text, text);
}

void report_human_bytes(uint64_t bytes, char text[24])
{
    static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 1024 && unit < 6; unit++)
        value /= 1024;
    snprintf(text, 24, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
}

void report_bytes(struct report *report, uint64_t bytes)
{
    char json[24], text[24];
    snprintf(json, sizeof json, "%" PRIu64, bytes);
    report_human_bytes(bytes, text);
    put_value(report, json, text);
}

void report_address(struct report *report, uint64_t address)
{
    char json[24], text[24];
    snprintf(json, sizeof json, "\"0x%" PRIx64 "\"", address);
    snprintf(text, sizeof text, "0x%" PRIx64, address);
    put_value(report, json, text);
}

void report_bool(struct report *report, bool value)
{
    put_value(report, value ? "true" : "false", value ? "yes" : "no");
}

void report_none(struct report *report)
{
    put_value(report, "null", "-");
}

void report_hex(struct report *report, const void *data, size_t length)
{
    scoped_free char *json = malloc(2 * length + 3);
    if (!json) {
        report->status = STATUS_NO_MEMORY;
        return;
    }
    char *at = json;
    *at++ = '"';
    for (size_t i = 0; i < length; i++) {
        *at++ = "0123456789abcdef"[((const uint8_t *)data)[i] >> 4];
        *at++ = "0123456789abcdef"[((const uint8_t *)data)[i] & 15];
    }
    *at = '\0';
    scoped_buffer struct buffer text = {0};
    if (report->format == REPORT_TEXT)
        buffer_text(&text, json + 1);
    if (text.failed)
        report->status = STATUS_NO_MEMORY;
    *at++ = '"';
    *at = '\0';
    put_value(report, json, buffer_string(&text));
}

void report_line(struct report *report, const char *format, ...)
{
    char line[1024];
    va_list args;
    if (report->format != REPORT_TEXT)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    put_string(report, line);
    put_string(report, "\n");
}
