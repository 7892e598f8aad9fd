/* address.c - what contains an address: mapping, symbol, chunk, thread, a structure of malloc's. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect/kinds.h"
#include "inspect/malloc_structs.h"
#include "inspect/modules.h"
#include "inspect/places.h"

static void put_mapping(const struct places *places, const struct mapping *mapping, uint64_t address,
                        struct report *report)
{
    char permissions[5];
    places_permissions(mapping, permissions);
    report_key(report, "mapping_start", "mapping from");
    report_address(report, mapping->start);
    report_key(report, "mapping_end", "to");
    report_address(report, mapping->end);
    report_key(report, "permissions", "permissions");
    report_text(report, permissions);
    report_key(report, "kind", "kind");
    report_text(report, place_name((enum place)places->kinds[mapping - places->maps.rows]));
    if (mapping->name[0]) {
        report_key(report, "file", "file");
        report_text(report, mapping->name);
    }
    if (mapping->inode) {
        report_key(report, "file_offset_bytes", NULL);
        report_count(report, mapping->offset + (address - mapping->start));
    }
}

struct namer {
    struct report *report;
    const struct elf_image *image;
    uint64_t address;
};

static bool take_symbol(void *context, const struct symbol_finding *finding)
{
    const struct namer *namer = context;
    uint64_t offset = namer->address - (namer->image->bias + finding->value);
    report_key(namer->report, "symbol", "symbol");
    report_text(namer->report, finding->name);
    report_key(namer->report, "symbol_offset_bytes", "at offset");
    report_count(namer->report, offset);
    report_key(namer->report, "symbol_size_bytes", "of");
    report_bytes(namer->report, finding->size_bytes);
    return true;
}

static void put_symbol(const struct inspection *inspection, const struct places *places, uint64_t address,
                       struct report *report)
{
    struct elf_image image;
    if (!modules_find(inspection, &places->maps, address, &image))
        return;
    report_key(report, "object", "object");
    report_text(report, image.mapping->name);
    struct namer namer = {.report = report, .image = &image, .address = address};
    struct symbol_question question = {
        .kind = SYMBOL_BY_ADDRESS, .address = address - image.bias, .limit = 1};
    if (modules_lookup(inspection, &image, &question, take_symbol, &namer, NULL) != STATUS_OK)
        return; /* without symbols the object is all that is known */
}

static void put_chunk(const struct chunk *chunk, uint64_t address, struct report *report)
{
    report_key(report, "chunk_address", "chunk");
    report_address(report, chunk->address);
    report_key(report, "chunk_user_address", NULL);
    report_address(report, chunk->address + chunk->header_bytes);
    report_key(report, "chunk_offset_bytes", "at offset");
    report_count(report, address - chunk->address);
    report_key(report, "chunk_size_bytes", "of");
    report_bytes(report, chunk->size);
    report_key(report, "chunk_state", "state");
    report_text(report, chunk_state_name((enum chunk_state)chunk->state));
}

static void put_heap(const struct inspection *inspection, const struct places *places,
                     const struct asked_address *asked, struct report *report)
{
    struct malloc_struct found;
    if (asked->has_chunk)
        put_chunk(&asked->chunk, asked->address, report);
    uint32_t arena = asked->has_chunk ? asked->chunk.arena : places_arena_of(places, asked->address);
    if (arena != CHUNK_NO_ARENA) {
        report_key(report, "arena", "arena");
        report_count(report, arena);
    }
    if (malloc_struct_find(places, asked->address, &found)) {
        report_key(report, "struct", "in the structure");
        report_text(report, found.name);
        report_key(report, "struct_address", "which is at");
        report_address(report, found.address);
        report_key(report, "struct_offset_bytes", "at offset");
        report_count(report, asked->address - found.address);
    }
    pid_t thread = places_thread_of(places, inspection->target, asked->address);
    if (thread) {
        report_key(report, "thread", "stack of thread");
        report_count(report, (uint64_t)thread);
    }
    places_put_errors(places, report);
}

enum status inspect_address(const struct inspection *inspection, const struct inspection_question *question,
                            struct report *report, struct error *err)
{
    scoped_places struct places places = {0};
    struct asked_address asked = {.address = question->at};
    enum status status = places_find(inspection, true, &asked, 1, &places, err);
    if (status != STATUS_OK)
        return status;
    const struct mapping *mapping = maps_find(&places.maps, question->at);
    if (!mapping)
        return error_set(err, STATUS_NOT_FOUND, "nothing is mapped at 0x%" PRIx64, question->at);
    inspect_head(inspection, report);
    report_key(report, "address", "address");
    report_address(report, question->at);
    put_mapping(&places, mapping, question->at, report);
    put_symbol(inspection, &places, question->at, report);
    put_heap(inspection, &places, &asked, report);
    return STATUS_OK;
}
