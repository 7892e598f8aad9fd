/* struct_print.c - see struct_print.h. */
#include "inspect/struct_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect/kinds.h"

static const struct report_column COLUMNS[] = {
    {"offset_bytes", "OFFSET", 7, true}, {"size_bytes", "SIZE", 5, true}, {"name", "NAME", 24, false},
    {"value", "VALUE", 20, false},       {"type", "TYPE", 0, false},
};

static void put_number(struct report *report, uint64_t value, const struct struct_field *field)
{
    unsigned bits = field->size_bytes * 8;
    int64_t number = bits < 64 ? (int64_t)(value << (64 - bits)) >> (64 - bits) : (int64_t)value;
    switch (field->form) {
    case FORM_POINTER:
        report_address(report, value);
        return;
    case FORM_BOOL:
        report_bool(report, value != 0);
        return;
    case FORM_SIGNED:
        report_signed(report, number);
        return;
    default:
        report_count(report, value);
    }
}

static void put_value(struct report *report, const uint8_t *data, const struct struct_field *field)
{
    uint64_t value = 0;
    double wide;
    float narrow;
    char text[40];
    bool is_number =
        field->size_bytes == 1 || field->size_bytes == 2 || field->size_bytes == 4 || field->size_bytes == 8;
    if (field->form == FORM_FLOAT && is_number) {
        memcpy(&wide, data, sizeof wide);
        memcpy(&narrow, data, sizeof narrow);
        snprintf(text, sizeof text, "%.17g", field->size_bytes == 4 ? (double)narrow : wide);
        report_text(report, text);
    } else if (is_number && field->form != FORM_OTHER) {
        memcpy(&value, data, field->size_bytes);
        put_number(report, value, field);
    } else {
        report_hex(report, data, field->size_bytes);
    }
}

void struct_put_field(struct struct_printer *printer, const struct struct_field *field)
{
    uint8_t data[64] = {0};
    report_count(printer->report, field->offset);
    report_count(printer->report, field->size_bytes);
    report_text(printer->report, field->name);
    if (field->size_bytes == 0 || field->size_bytes > sizeof data ||
        target_read_exact(printer->inspection->target, printer->at + field->offset, data,
                          field->size_bytes) != STATUS_OK)
        report_none(printer->report);
    else
        put_value(printer->report, data, field);
    report_text(printer->report, field->type);
    printer->fields++;
}

enum status struct_begin(struct struct_printer *printer, const char *name, uint64_t size_bytes,
                         struct error *err)
{
    uint8_t first;
    if (target_read_exact(printer->inspection->target, printer->at, &first, 1) != STATUS_OK)
        return error_set(err, STATUS_NOT_FOUND, "nothing can be read at 0x%" PRIx64, printer->at);
    inspect_head(printer->inspection, printer->report);
    report_key(printer->report, "struct", NULL);
    report_text(printer->report, name);
    report_key(printer->report, "address", NULL);
    report_address(printer->report, printer->at);
    report_key(printer->report, "size_bytes", NULL);
    report_count(printer->report, size_bytes);
    report_line(printer->report, "struct %s at 0x%" PRIx64 ", %" PRIu64 " bytes", name, printer->at,
                size_bytes);
    report_table(printer->report, "fields", COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    return STATUS_OK;
}

void struct_end(struct struct_printer *printer)
{
    report_table_end(printer->report);
    report_key(printer->report, "left_out", printer->left_out ? "left out" : NULL);
    report_count(printer->report, printer->left_out);
}
