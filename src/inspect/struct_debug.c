/* struct_debug.c - a structure that debug information describes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "inspect/kinds.h"
#include "inspect/modules.h"
#include "inspect/struct_print.h"

#define ELEMENTS_MAX 256u
#define FIELDS_MAX 4096u

/* A char array is text; of others each element is a row, up to a bound that is told. */
static void put_characters(struct struct_printer *printer, struct struct_field *field, uint64_t count)
{
    char text[ELEMENTS_MAX + 1] = "";
    size_t length = count < ELEMENTS_MAX ? (size_t)count : ELEMENTS_MAX;
    report_count(printer->report, field->offset);
    report_count(printer->report, count);
    report_text(printer->report, field->name);
    if (target_read_exact(printer->inspection->target, printer->at + field->offset, text, length) !=
        STATUS_OK)
        report_none(printer->report);
    else
        report_text(printer->report, text);
    report_text(printer->report, field->type);
    printer->fields++;
}

/* Findings of a structure, kept until its size is known. */
struct described {
    const struct inspection *inspection;
    struct symbol_question question;
    struct symbol_finding *findings;
    size_t count, capacity;
    uint64_t size_bytes;
    bool is_found, has_failed;
    unsigned unread; /* modules whose files could not be read: they may have it */
};

static bool take_finding(void *context, const struct symbol_finding *finding)
{
    struct described *described = context;
    if (finding->name[0] == '\0') {
        described->size_bytes = finding->size_bytes;
        described->is_found = true;
        return true;
    }
    described->has_failed = !array_room(&described->findings, described->count, &described->capacity);
    if (described->has_failed)
        return false;
    described->findings[described->count++] = *finding;
    return true;
}

static bool describe(void *context, const struct elf_image *image)
{
    struct described *described = context;
    described->count = 0;
    enum status status =
        modules_lookup(described->inspection, image, &described->question, take_finding, described, NULL);
    described->unread += status != STATUS_OK && status != STATUS_NOT_FOUND;
    return !described->is_found && !described->has_failed;
}

static void put_finding(struct struct_printer *printer, const struct symbol_finding *finding)
{
    char name[sizeof finding->name + 16];
    struct struct_field field = {.name = name,
                                 .type = finding->type,
                                 .offset = finding->value,
                                 .size_bytes = finding->size_bytes <= 64 ? (unsigned)finding->size_bytes : 0,
                                 .form = finding->form};
    snprintf(name, sizeof name, "%s", finding->name);
    if (finding->count != 1 && finding->form == FORM_CHAR && finding->size_bytes == 1) {
        put_characters(printer, &field, finding->count);
        return;
    }
    uint32_t i = 0;
    for (; i < finding->count && i < ELEMENTS_MAX && printer->fields < FIELDS_MAX; i++) {
        if (finding->count != 1)
            snprintf(name, sizeof name, "%s[%u]", finding->name, i);
        field.offset = finding->value + (uint64_t)i * finding->size_bytes;
        struct_put_field(printer, &field);
    }
    printer->left_out += finding->count - i;
}

enum status struct_put_described(const struct inspection *inspection,
                                 const struct inspection_question *question, struct report *report,
                                 struct error *err)
{
    scoped_maps struct maps maps = {0};
    struct described described = {.inspection = inspection,
                                  .question = {.kind = SYMBOL_STRUCT, .limit = FIELDS_MAX}};
    enum status status = target_maps(inspection->target, &maps, err);
    if (status != STATUS_OK)
        return status;
    if (!question->has_at)
        return error_set(err, STATUS_USAGE, "struct %s: its address is missing", question->text);
    snprintf(described.question.text, sizeof described.question.text, "%s", question->text);
    modules_each(inspection, &maps, describe, &described);
    scoped_free struct symbol_finding *findings = described.findings;
    if (described.has_failed)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the members of a structure");
    if (!described.is_found && described.unread)
        return error_set(
            err, STATUS_BAD_DATA,
            "struct %s: the debug information of %u modules could not be read (damaged, or too large)",
            question->text, described.unread);
    if (!described.is_found)
        return error_set(
            err, STATUS_NOT_FOUND,
            "no debug information describes a structure called \"%s\": install the debug packages "
            "of its program (malloc_state, malloc_par, malloc_chunk, heap_info and tcache need none)",
            question->text);
    struct struct_printer printer = {.inspection = inspection, .report = report, .at = question->at};
    status = struct_begin(&printer, question->text, described.size_bytes, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < described.count; i++)
        put_finding(&printer, &findings[i]);
    struct_end(&printer);
    return STATUS_OK;
}
