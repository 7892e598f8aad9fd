/* places.c - see places.h. */
#include "inspect/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"

static const char *const NAMES[PLACE_COUNT] = {
#define X(name, label) [PLACE_##name] = label,
    PLACE_TABLE(X)
#undef X
};

const char *place_name(enum place place)
{
    return NAMES[place];
}

/* What the walk's chunks are held against. */
struct finder {
    struct chunk_sink sink;
    struct places *places;
    struct asked_address *asked;
    size_t count, next;
};

static void take_mmapped(struct places *places, const struct chunk *chunk)
{
    const struct mapping *mapping = maps_find(&places->maps, chunk->address);
    const struct mapping *end = places->maps.rows + places->maps.count;
    for (; mapping && mapping < end && mapping->start < chunk->address + chunk->size; mapping++) {
        uint8_t *kind = &places->kinds[mapping - places->maps.rows];
        /* the kernel merges a chunk's mapping with its neighbours: what it is for is what is most of it */
        if (*kind != PLACE_STACK || chunk->size >= (mapping->end - mapping->start) / 2)
            *kind = PLACE_MMAPPED;
    }
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct finder *finder = (struct finder *)sink;
    for (size_t i = 0; i < count; i++) {
        const struct chunk *chunk = &chunks[i];
        if (chunk->state == CHUNK_MMAPPED)
            take_mmapped(finder->places, chunk);
        while (finder->next > 0 && finder->asked[finder->next - 1].address >= chunk->address)
            finder->next--; /* a second libc's heap may lie below the first one's */
        while (finder->next < finder->count && finder->asked[finder->next].address < chunk->address)
            finder->next++;
        for (; finder->next < finder->count &&
               finder->asked[finder->next].address - chunk->address < chunk->size;
             finder->next++) {
            finder->asked[finder->next].has_chunk = true;
            finder->asked[finder->next].chunk = *chunk;
        }
    }
    return true;
}

static enum place kind_of(const struct mapping *mapping)
{
    if (strncmp(mapping->name, "[stack", 6) == 0)
        return PLACE_STACK;
    if (strncmp(mapping->name, "[v", 2) == 0 || strcmp(mapping->name, "[uprobes]") == 0)
        return PLACE_KERNEL;
    if (mapping->inode == 0 && !mapping->is_readable && !mapping->is_writable && !mapping->is_executable)
        return PLACE_RESERVED;
    if (mapping->is_shared && mapping->is_writable)
        return PLACE_SHARED;
    if (mapping->inode == 0)
        return PLACE_ANONYMOUS;
    return mapping->is_executable ? PLACE_CODE : mapping->is_writable ? PLACE_DATA : PLACE_FILE;
}

static void mark_range(struct places *places, uint64_t start, uint64_t end, enum place kind)
{
    const struct mapping *mapping = maps_find(&places->maps, start);
    for (; mapping && mapping < places->maps.rows + places->maps.count && mapping->start < end; mapping++)
        if (mapping->is_writable)
            places->kinds[mapping - places->maps.rows] = (uint8_t)kind;
}

static void mark_heaps(struct places *places)
{
    const struct heap_numbers *heaps = snapshot_heaps(places->snapshot);
    const struct arena_numbers *arenas = snapshot_arenas(places->snapshot);
    for (uint32_t i = 0; i < places->snapshot->heap_count; i++) {
        bool is_main = heaps[i].arena < places->snapshot->arena_count && arenas[heaps[i].arena].is_main;
        mark_range(places, heaps[i].start, heaps[i].end, is_main ? PLACE_HEAP : PLACE_ARENA);
    }
}

static void find_threads(const struct inspection *inspection, struct places *places)
{
    size_t missing = 0;
    if (threads_find(inspection->target, &places->maps, &places->locations.rows[0], &places->threads,
                     &places->thread_count, &missing, &places->thread_error) != STATUS_OK)
        places->thread_count = 0;
    else if (missing)
        error_set(&places->thread_error, STATUS_FAULT, "the stacks of %zu threads were not found", missing);
    for (size_t i = 0; i < places->thread_count; i++) {
        const struct mapping *mapping = maps_find(&places->maps, places->threads[i].pointer);
        bool is_main = places->threads[i].tid == inspection->target->pid;
        if (mapping && mapping_is_anonymous(mapping) && !is_main)
            places->kinds[mapping - places->maps.rows] = PLACE_STACK;
    }
}

/* Failures that concern the heap alone leave the rest of the answer. */
static enum status walk(const struct inspection *inspection, struct finder *finder, struct error *err)
{
    struct places *places = finder->places;
    char allocator[32] = "";
    struct scan_request request = {.consistency = CONSISTENCY_LIVE,
                                   .deadline_ns = inspection->deadline_ns,
                                   .read_swapped = inspection->read_swapped,
                                   .want_details = true,
                                   .symbols = inspection->symbols,
                                   .cache = inspection->cache,
                                   .chunks = &finder->sink};
    enum status status =
        allocator_scan(inspection->target, &request, allocator, &places->snapshot, &places->heap_error);
    if (status == STATUS_UNSUPPORTED || status == STATUS_INCONSISTENT || status == STATUS_BAD_DATA)
        return STATUS_OK;
    if (status != STATUS_OK && err)
        *err = places->heap_error;
    if (status == STATUS_OK)
        mark_heaps(places);
    return status;
}

enum status places_find(const struct inspection *inspection, bool with_heap, struct asked_address *asked,
                        size_t count, struct places *ret, struct error *err)
{
    scoped_places struct places places = {0};
    enum status status = target_maps(inspection->target, &places.maps, err);
    if (status != STATUS_OK)
        return status;
    places.kinds = calloc(places.maps.count + 1, 1);
    if (!places.kinds)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu mappings", places.maps.count);
    for (size_t i = 0; i < places.maps.count; i++)
        places.kinds[i] = (uint8_t)kind_of(&places.maps.rows[i]);
    if (glibc_locate(inspection->target, &places.maps, inspection->symbols, inspection->cache,
                     inspection->deadline_ns, &places.locations, &places.heap_error) == STATUS_OK)
        find_threads(inspection, &places);
    else
        places.thread_error = places.heap_error;
    struct finder finder = {.sink = {.consume = consume}, .places = &places, .asked = asked, .count = count};
    if (with_heap)
        status = walk(inspection, &finder, err);
    if (status != STATUS_OK)
        return status;
    if (places.thread_error.status == STATUS_UNSUPPORTED && !places.snapshot)
        places.thread_error = (struct error){0}; /* heap_error says as much */
    *ret = places;
    places = (struct places){0};
    return STATUS_OK;
}

void places_deinit(struct places *places)
{
    maps_deinit(&places->maps);
    free(places->kinds);
    free(places->locations.rows);
    free(places->threads);
    snapshot_unref(places->snapshot);
    *places = (struct places){0};
}

/* A thread's pointer is above its stack, in the same mapping; without a guard several share one. */
pid_t places_thread_of(const struct places *places, const struct target *target, uint64_t address)
{
    const struct mapping *mapping = maps_find(&places->maps, address);
    const struct thread_tls *best = NULL;
    if (!mapping || places->kinds[mapping - places->maps.rows] != PLACE_STACK)
        return 0;
    if (strncmp(mapping->name, "[stack", 6) == 0)
        return target->pid;
    for (size_t i = 0; i < places->thread_count; i++) {
        const struct thread_tls *thread = &places->threads[i];
        bool is_here = thread->pointer >= mapping->start && thread->pointer < mapping->end;
        if (is_here && thread->pointer + 4096 > address && (!best || thread->pointer < best->pointer))
            best = thread;
    }
    return best ? best->tid : 0;
}

unsigned places_threads_in(const struct places *places, const struct mapping *mapping)
{
    unsigned count = 0;
    for (size_t i = 0; i < places->thread_count; i++)
        count += places->threads[i].pointer >= mapping->start && places->threads[i].pointer < mapping->end;
    return count;
}

void places_put_errors(const struct places *places, struct report *report)
{
    if (!places->snapshot) {
        report_key(report, "heap_error", "no heap");
        report_text(report, places->heap_error.message);
    } else if (!places->snapshot->numbers.is_complete) {
        report_key(report, "heap_error", "heaps");
        report_text(report, "a part could not be read: what lies there may be called something else");
    }
    if (places->thread_error.status != STATUS_OK) {
        report_key(report, "thread_error", "threads");
        report_text(report, places->thread_error.message);
    }
}

uint32_t places_arena_of(const struct places *places, uint64_t address)
{
    const struct heap_numbers *heaps = places->snapshot ? snapshot_heaps(places->snapshot) : NULL;
    for (uint32_t i = 0; heaps && i < places->snapshot->heap_count; i++)
        if (address >= heaps[i].start && address < heaps[i].end)
            return heaps[i].arena;
    return CHUNK_NO_ARENA;
}

void places_permissions(const struct mapping *mapping, char text[5])
{
    text[0] = mapping->is_readable ? 'r' : '-';
    text[1] = mapping->is_writable ? 'w' : '-';
    text[2] = mapping->is_executable ? 'x' : '-';
    text[3] = mapping->is_shared ? 's' : 'p';
    text[4] = '\0';
}
