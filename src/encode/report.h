/*
 * report.h - an answer of fields and tables, written once and printed as JSON or as aligned text.
 *
 * Who answers puts keys and values; JSON has the keys, text the labels, with human sizes. Nothing grows: a
 * full block goes to the caller's function. Values of a table's row come in the order of its columns.
 */
#ifndef ENCODE_REPORT_H
#define ENCODE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** Takes a block; false ends the report (the reader is gone). */
typedef bool (*report_write)(void *context, const char *data, size_t length);

enum report_format { REPORT_JSON, REPORT_TEXT }; /* how it is printed */

/** A column: its key in JSON, its title and width in text; @is_right: aligned to the right. */
struct report_column {
    const char *key;
    const char *title; /* NULL: not in text */
    unsigned width;
    bool is_right;
};

#define REPORT_BLOCK_BYTES (64 * 1024)

/** A report under way; allocate it. Read-only for others. */
struct report {
    enum report_format format;
    report_write write;
    void *context;
    enum status status; /* as report_status() says: once not STATUS_OK, all that follows is dropped */
    bool has_fields;
    const char *key, *label; /* of the next value outside of a table */
    const struct report_column *columns;
    unsigned column_count, column;
    uint64_t rows;
    size_t used;
    char block[REPORT_BLOCK_BYTES];
};

/** Begin; blocks go to @write with @context. report_end() must follow, or the report is forgotten. */
void report_begin(struct report *report, enum report_format format, report_write write, void *context);
/** STATUS_OK; STATUS_STOPPED: the reader is gone; STATUS_NO_MEMORY: a value is lost for want of it. */
enum status report_status(const struct report *report, struct error *err) must_check;
/** End and send what is left; report_status() then. */
enum status report_end(struct report *report, struct error *err) must_check;

/** Name the next value. @label NULL: it is not printed in text. */
void report_key(struct report *report, const char *key, const char *label);

/** A list of objects: rows of @columns, until report_table_end(). The columns must stay. */
void report_table(struct report *report, const char *key, const struct report_column *columns,
                  unsigned count);
void report_table_end(struct report *report);

/** A value: of the key, or the next of the row. A text may hold any byte; NULL is as report_none(). */
void report_text(struct report *report, const char *text);
void report_count(struct report *report, uint64_t value);
void report_signed(struct report *report, int64_t value);
void report_bytes(struct report *report, uint64_t bytes);
void report_address(struct report *report, uint64_t address);
void report_bool(struct report *report, bool value);
void report_hex(struct report *report, const void *data, size_t length); /* JSON: "00ff…" */
void report_none(struct report *report);

/** A line of text alone; JSON has nothing of it. Without a newline. */
void report_line(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Bytes as people read them ("1.5 MiB") into @text. */
void report_human_bytes(uint64_t bytes, char text[24]);

#endif
