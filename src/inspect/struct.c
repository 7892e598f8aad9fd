/*
 * struct.c - a structure field by field: malloc's own by the layout tables, others by debug information.
 *
 * Elements of arrays are rows of their own; those of malloc's lists that are empty (a bin that points at
 * itself, a 0) are left out and counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect/kinds.h"
#include "inspect/malloc_structs.h"
#include "inspect/struct_print.h"

static bool is_empty(const struct struct_printer *printer, const struct malloc_member *member,
                     uint64_t offset)
{
    uint64_t value = 0, element = offset - (uint64_t)member->offset;
    unsigned word = member->size_bytes;
    if (target_read_exact(printer->inspection->target, printer->at + offset, &value, member->size_bytes) !=
        STATUS_OK)
        return false;
    /* a bin's two words point at its head, two words before them, where it is empty */
    uint64_t head = printer->at + (uint64_t)member->offset + element / (2u * word) * (2u * word) - 2u * word;
    return value == 0 || (strcmp(member->name, "bins") == 0 && value == head);
}

static void put_member(struct struct_printer *printer, const struct malloc_member *member)
{
    char name[64];
    for (unsigned i = 0; i < member->count; i++) {
        uint64_t offset = (uint64_t)member->offset + (uint64_t)i * member->size_bytes;
        if (member->is_list && is_empty(printer, member, offset)) {
            printer->left_out++;
            continue;
        }
        snprintf(name, sizeof name, member->count > 1 ? "%s[%u]" : "%s", member->name, i);
        const struct struct_field field = {.name = name,
                                           .type = member->type,
                                           .offset = offset,
                                           .size_bytes = member->size_bytes,
                                           .form = member->is_pointer ? FORM_POINTER : FORM_UNSIGNED};
        struct_put_field(printer, &field);
    }
}

/* Where one of malloc's is that was asked for without an address; false: that cannot be said. */
static bool default_place(const struct places *places, const char *name, uint64_t *at)
{
    const struct glibc_location *location = &places->locations.rows[0];
    if (strcmp(name, "malloc_state") == 0)
        *at = location->main_arena_addr;
    else if (strcmp(name, "malloc_par") == 0)
        *at = location->mp_addr;
    else
        return false;
    return *at != 0;
}

/* Books are open where contents of memory are not: nothing else may be read by their name. */
static bool is_book(const struct places *places, const char *name, uint64_t at)
{
    struct malloc_struct found;
    return malloc_struct_find(places, at, &found) && found.address == at && strcmp(found.name, name) == 0;
}

static enum status put_malloc_struct(const struct inspection *inspection,
                                     const struct inspection_question *question, struct report *report,
                                     struct error *err)
{
    scoped_places struct places places = {0};
    struct malloc_member members[MALLOC_MEMBERS_MAX];
    struct struct_printer printer = {.inspection = inspection, .report = report, .at = question->at};
    bool is_open = !inspection_gives_memory(question);
    enum status status = places_find(inspection, is_open && question->has_at, NULL, 0, &places, err);
    if (status != STATUS_OK)
        return status;
    if (places.locations.count == 0) {
        if (err)
            *err = places.heap_error;
        return places.heap_error.status;
    }
    if (!question->has_at && !default_place(&places, question->text, &printer.at))
        return error_set(err, STATUS_USAGE, "struct %s: its address is missing", question->text);
    if (is_open && question->has_at && !is_book(&places, question->text, printer.at))
        return error_set(err, STATUS_NOT_FOUND, "there is no %s at 0x%" PRIx64, question->text, printer.at);
    uint64_t size_bytes = 0;
    unsigned count =
        malloc_struct_members(question->text, &places.locations.rows[0].layout, members, &size_bytes);
    status = struct_begin(&printer, question->text, size_bytes, err);
    if (status != STATUS_OK)
        return status;
    for (unsigned i = 0; i < count; i++)
        put_member(&printer, &members[i]);
    struct_end(&printer);
    return STATUS_OK;
}

enum status inspect_struct(const struct inspection *inspection, const struct inspection_question *question,
                           struct report *report, struct error *err)
{
    if (malloc_struct_is_known(question->text))
        return put_malloc_struct(inspection, question, report, err);
    return struct_put_described(inspection, question, report, err);
}
