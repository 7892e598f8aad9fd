/*
 * search.c - where bytes are in a process, and in which chunk or mapping each place is.
 *
 * First the memory is swept; then the heaps are walked once for the chunks that hold what was found. The
 * findings are limited in number, so that memory is bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "inspect/kinds.h"
#include "inspect/places.h"
#include "inspect/sweep.h"

struct finder {
    const uint8_t *needle;
    size_t length;
    unsigned alignment;
    struct asked_address *found;
    size_t count, limit;
    bool is_limited;
};

static bool take(void *context, const struct mapping *mapping, uint64_t address, const uint8_t *data,
                 size_t length, size_t carried)
{
    struct finder *finder = context;
    (void)mapping;
    (void)carried; /* shorter than the needle: nothing is found twice */
    const uint8_t *at = data, *end = data + length, *hit;
    while (at < end && (hit = memmem(at, (size_t)(end - at), finder->needle, finder->length)) != NULL) {
        uint64_t place = address + (uint64_t)(hit - data);
        at = hit + 1;
        if (!is_aligned(place, finder->alignment))
            continue;
        if (finder->count == finder->limit) {
            finder->is_limited = true;
            return false;
        }
        finder->found[finder->count++] = (struct asked_address){.address = place};
    }
    return true;
}

static const struct report_column COLUMNS[] = {
    {"address", "ADDRESS", 18, true},
    {"kind", "KIND", 9, false},
    {"chunk_address", "CHUNK", 18, true},
    {"chunk_offset_bytes", "OFFSET", 8, true},
    {"chunk_size_bytes", "CHUNK SIZE", 10, true},
    {"chunk_state", "STATE", 8, false},
    {"arena", "ARENA", 5, true},
    {"thread", "THREAD", 7, true},
    {"file", "FILE", 0, false},
};

static void put_match(const struct inspection *inspection, const struct places *places,
                      const struct asked_address *match, struct report *report)
{
    const struct mapping *mapping = maps_find(&places->maps, match->address);
    const struct chunk *chunk = match->has_chunk ? &match->chunk : NULL;
    report_address(report, match->address);
    report_text(report, mapping ? place_name((enum place)places->kinds[mapping - places->maps.rows]) : NULL);
    if (chunk) {
        report_address(report, chunk->address);
        report_count(report, match->address - chunk->address);
        report_bytes(report, chunk->size);
        report_text(report, chunk_state_name((enum chunk_state)chunk->state));
    } else {
        for (int i = 0; i < 4; i++)
            report_none(report);
    }
    uint32_t arena = chunk ? chunk->arena : places_arena_of(places, match->address);
    if (arena != CHUNK_NO_ARENA)
        report_count(report, arena);
    else
        report_none(report);
    pid_t thread = places_thread_of(places, inspection->target, match->address);
    if (thread)
        report_count(report, (uint64_t)thread);
    else
        report_none(report);
    report_text(report, mapping && mapping->name[0] ? mapping->name : NULL);
}

static enum status put_matches(const struct inspection *inspection, struct finder *finder,
                               const struct sweep *sweep, struct report *report, struct error *err)
{
    scoped_places struct places places = {0};
    enum status status = places_find(inspection, true, finder->found, finder->count, &places, err);
    if (status != STATUS_OK)
        return status;
    inspect_head(inspection, report);
    places_put_errors(&places, report);
    report_table(report, "matches", COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    for (size_t i = 0; i < finder->count; i++)
        put_match(inspection, &places, &finder->found[i], report);
    report_table_end(report);
    report_line(report, "%zu found%s", finder->count,
                finder->is_limited ? ", and there are more: raise --limit" : "");
    report_key(report, "found", NULL);
    report_count(report, finder->count);
    report_key(report, "limited", NULL);
    report_bool(report, finder->is_limited);
    report_key(report, "read_bytes", "read");
    report_bytes(report, sweep->read_bytes);
    report_key(report, "unread_bytes", sweep->unread_bytes + sweep->swapped_bytes ? "not read" : NULL);
    report_bytes(report, sweep->unread_bytes + sweep->swapped_bytes);
    return STATUS_OK;
}

enum status inspect_search(const struct inspection *inspection, const struct inspection_question *question,
                           struct report *report, struct error *err)
{
    scoped_maps struct maps maps = {0};
    unsigned word = inspection->target->word_bytes;
    struct finder finder = {
        .needle = question->is_pointer ? (const uint8_t *)&question->at : question->needle,
        .length = question->is_pointer ? word : question->needle_length,
        .alignment = question->is_pointer ? word : 1,
        .limit = question->limit ? (size_t)question->limit : INSPECTION_LIMIT_DEFAULT,
    };
    finder.found = calloc(finder.limit, sizeof *finder.found);
    scoped_free struct asked_address *found = finder.found;
    if (!found)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu findings", finder.limit);
    enum status status = target_maps(inspection->target, &maps, err);
    if (status != STATUS_OK)
        return status;
    struct sweep sweep = {.inspection = inspection,
                          .report = report,
                          .maps = &maps,
                          .carry_bytes = finder.length - 1,
                          .take = take,
                          .context = &finder};
    status = sweep_run(&sweep, err);
    return status == STATUS_OK ? put_matches(inspection, &finder, &sweep, report, err) : status;
}
