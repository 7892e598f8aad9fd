/* struct_print.h - the fields of a structure in a report; inside this folder only. */
#ifndef INSPECT_STRUCT_PRINT_H
#define INSPECT_STRUCT_PRINT_H

#include "inspect/inspection.h"

/** One value of it: its offset, and how its bytes are shown. */
struct struct_field {
    const char *name, *type;
    uint64_t offset;
    unsigned size_bytes; /* 0: it is named, and has no value that could be shown */
    enum symbol_form form;
};

struct struct_printer {
    const struct inspection *inspection;
    struct report *report;
    uint64_t at; /* address of the structure */
    uint64_t fields, left_out;
};

/** Begin the table. STATUS_NOT_FOUND: nothing can be read there. */
enum status struct_begin(struct struct_printer *printer, const char *name, uint64_t size_bytes,
                         struct error *err) must_check;
void struct_put_field(struct struct_printer *printer, const struct struct_field *field);
void struct_end(struct struct_printer *printer);

/** A structure that debug information describes, the answer to @question. */
enum status struct_put_described(const struct inspection *inspection,
                                 const struct inspection_question *question, struct report *report,
                                 struct error *err) must_check;

#endif
