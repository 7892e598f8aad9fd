/* maps.c - the mappings of a process, each with its kind and what of it is in memory; their totals. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "inspect/kinds.h"
#include "inspect/places.h"

/* What the kernel says of each mapping; NULL where it does not (a core, no permission). */
static struct mapping_usage *find_usage(const struct inspection *inspection, const struct places *places)
{
    struct mapping_usage *usage = calloc(places->maps.count + 1, sizeof *usage);
    if (usage && target_usage(inspection->target, &places->maps, usage, NULL) == STATUS_OK)
        return usage;
    free(usage);
    return NULL;
}

static void put_detail(const struct inspection *inspection, const struct places *places,
                       const struct mapping *mapping, struct report *report)
{
    char text[32] = "";
    uint32_t arena = CHUNK_NO_ARENA;
    pid_t thread = places_thread_of(places, inspection->target, mapping->start);
    const struct heap_numbers *heaps = places->snapshot ? snapshot_heaps(places->snapshot) : NULL;
    for (uint32_t i = 0; heaps && i < places->snapshot->heap_count && arena == CHUNK_NO_ARENA; i++)
        if (heaps[i].start < mapping->end && heaps[i].end > mapping->start)
            arena = heaps[i].arena;
    unsigned threads = thread ? places_threads_in(places, mapping) : 0;
    if (threads > 1) /* the kernel merges stacks whose guards are no mappings of their own */
        snprintf(text, sizeof text, "%u threads", threads);
    else if (thread)
        snprintf(text, sizeof text, "thread %d", (int)thread);
    else if (arena != CHUNK_NO_ARENA)
        snprintf(text, sizeof text, "arena %u", arena);
    report_text(report, text[0] ? text : NULL);
}

static const struct report_column MAPS[] = {
    {"start", "START", 18, true},
    {"end", "END", 18, true},
    {"size_bytes", "SIZE", 10, true},
    {"permissions", "PERM", 4, false},
    {"kind", "KIND", 9, false},
    {"resident_bytes", "RESIDENT", 10, true},
    {"swapped_bytes", "SWAPPED", 9, true},
    {"offset_bytes", NULL, 0, false},
    {"detail", "OF", 13, false},
    {"deleted", NULL, 0, false},
    {"file", "FILE", 0, false},
};

#define NAME_SHOWN_BYTES 4096 /* what the kernel makes of a path at most */

static void put_mapping(const struct inspection *inspection, const struct places *places, size_t i,
                        const struct mapping_usage *usage, struct report *report)
{
    const struct mapping *mapping = &places->maps.rows[i];
    char permissions[5];
    places_permissions(mapping, permissions);
    report_address(report, mapping->start);
    report_address(report, mapping->end);
    report_bytes(report, mapping->end - mapping->start);
    report_text(report, permissions);
    report_text(report, place_name((enum place)places->kinds[i]));
    if (usage) {
        report_bytes(report, usage[i].resident_bytes);
        report_bytes(report, usage[i].swapped_bytes);
    } else {
        report_none(report);
        report_none(report);
    }
    report_bytes(report, mapping->offset);
    put_detail(inspection, places, mapping, report);
    report_bool(report, mapping->is_deleted);
    if (mapping->is_deleted && report->format == REPORT_TEXT) {
        char name[NAME_SHOWN_BYTES + sizeof " (deleted)"];
        snprintf(name, sizeof name, "%.*s (deleted)", NAME_SHOWN_BYTES, mapping->name);
        report_text(report, name);
    } else {
        report_text(report, mapping->name[0] ? mapping->name : NULL);
    }
}

enum status inspect_maps(const struct inspection *inspection, const struct inspection_question *question,
                         struct report *report, struct error *err)
{
    (void)question;
    scoped_places struct places places = {0};
    enum status status = places_find(inspection, true, NULL, 0, &places, err);
    if (status != STATUS_OK)
        return status;
    scoped_free struct mapping_usage *usage = find_usage(inspection, &places);
    inspect_head(inspection, report);
    places_put_errors(&places, report);
    report_table(report, "mappings", MAPS, sizeof MAPS / sizeof *MAPS);
    for (size_t i = 0; i < places.maps.count; i++)
        put_mapping(inspection, &places, i, usage, report);
    report_table_end(report);
    return STATUS_OK;
}

/* Sums of one kind, or of all. */
struct sums {
    uint64_t mappings, size_bytes;
    struct mapping_usage usage;
};

static void add(struct sums *sums, const struct mapping *mapping, const struct mapping_usage *usage)
{
    sums->mappings++;
    sums->size_bytes += mapping->end - mapping->start;
    if (!usage)
        return;
    sums->usage.resident_bytes += usage->resident_bytes;
    sums->usage.proportional_bytes += usage->proportional_bytes;
    sums->usage.swapped_bytes += usage->swapped_bytes;
}

static void put_sums(const struct sums *sums, bool is_known, struct report *report)
{
    report_count(report, sums->mappings);
    report_bytes(report, sums->size_bytes);
    const uint64_t bytes[] = {sums->usage.resident_bytes, sums->usage.proportional_bytes,
                              sums->usage.swapped_bytes};
    for (size_t i = 0; i < 3; i++)
        if (is_known)
            report_bytes(report, bytes[i]);
        else
            report_none(report);
}

static const struct report_column KINDS[] = {
    {"kind", "KIND", 10, false},
    {"mappings", "MAPPINGS", 8, true},
    {"size_bytes", "SIZE", 10, true},
    {"resident_bytes", "RESIDENT", 10, true},
    {"proportional_bytes", "PROPORTIONAL", 12, true},
    {"swapped_bytes", "SWAPPED", 10, true},
};

static void put_totals(const struct inspection *inspection, const struct sums *all, bool is_known,
                       struct report *report)
{
    static const struct {
        const char *key, *label;
    } FIELDS[] = {{"resident_bytes", "resident"},
                  {"proportional_bytes", "proportional share"},
                  {"swapped_bytes", "swapped"}};
    const uint64_t bytes[] = {all->usage.resident_bytes, all->usage.proportional_bytes,
                              all->usage.swapped_bytes};
    scoped_free struct target_thread *threads = NULL;
    size_t count = 0;
    report_key(report, "threads", "threads");
    if (target_threads(inspection->target, &threads, &count, NULL) == STATUS_OK)
        report_count(report, count);
    else
        report_none(report);
    report_key(report, "mappings", "mappings");
    report_count(report, all->mappings);
    report_key(report, "size_bytes", "address space");
    report_bytes(report, all->size_bytes);
    for (size_t i = 0; is_known && i < 3; i++) {
        report_key(report, FIELDS[i].key, FIELDS[i].label);
        report_bytes(report, bytes[i]);
    }
}

enum status inspect_status(const struct inspection *inspection, const struct inspection_question *question,
                           struct report *report, struct error *err)
{
    (void)question;
    scoped_places struct places places = {0};
    struct sums all = {0}, kinds[PLACE_COUNT] = {0};
    enum status status = places_find(inspection, true, NULL, 0, &places, err);
    if (status != STATUS_OK)
        return status;
    scoped_free struct mapping_usage *usage = find_usage(inspection, &places);
    for (size_t i = 0; i < places.maps.count; i++) {
        add(&all, &places.maps.rows[i], usage ? &usage[i] : NULL);
        add(&kinds[places.kinds[i]], &places.maps.rows[i], usage ? &usage[i] : NULL);
    }
    inspect_head(inspection, report);
    report_line(report, "%s (pid %d)", inspection->comm, (int)inspection->target->pid);
    put_totals(inspection, &all, usage != NULL, report);
    places_put_errors(&places, report);
    report_table(report, "kinds", KINDS, sizeof KINDS / sizeof *KINDS);
    for (int kind = 0; kind < PLACE_COUNT; kind++) {
        if (kinds[kind].mappings == 0)
            continue;
        report_text(report, place_name((enum place)kind));
        put_sums(&kinds[kind], usage != NULL, report);
    }
    report_table_end(report);
    return STATUS_OK;
}
