/* residency.c - see residency.h. */
#include "analysis/residency.h"

#include <string.h>

#include "base/checked.h"
#include "base/reserve.h"

void residency_of_range(struct residency_sums *sums, uint64_t start, uint64_t end, struct residency *ret)
{
    sums->count(sums->context, align_down(start, sums->page_bytes), align_up(end, sums->page_bytes),
                &ret->resident_bytes, &ret->swapped_bytes);
}

/* Whole pages inside a free chunk; the page of its header is in use by the allocator. */
static void add_free(struct residency_sums *sums, const struct chunk *chunk)
{
    uint64_t start = align_up(chunk->address + chunk->header_bytes, sums->page_bytes);
    uint64_t end = align_down(chunk->address + chunk->size, sums->page_bytes);
    if (start >= end)
        return;
    uint64_t present = 0;
    sums->count(sums->context, start, end, &present, &sums->free.swapped_bytes);
    sums->free.resident_bytes += present;
    uint32_t arena = chunk->arena - sums->first_arena;
    if (arena < sums->arena_count)
        sums->free_resident_bytes[arena] += present;
}

/* What malloc_trim(0) gives back of a binned chunk (malloc.c, mtrim): whole pages behind its first bytes. */
static void add_trimmable(struct residency_sums *sums, const struct chunk *chunk)
{
    if (chunk->size <= sums->page_bytes - 1 + sums->kept_bytes)
        return;
    uint64_t start = align_up(chunk->address + sums->kept_bytes, sums->page_bytes), swapped = 0;
    uint64_t end = start + align_down(chunk->address + chunk->size - start, sums->page_bytes);
    if (start < end && end - start < chunk->size)
        sums->count(sums->context, start, end, &sums->trimmable_bytes, &swapped);
}

static bool residency_consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct residency_sums *sums = (struct residency_sums *)sink;
    for (size_t i = 0; i < count; i++) {
        const struct chunk *chunk = &chunks[i];
        if (chunk->state == CHUNK_IN_USE || chunk->size < sums->page_bytes)
            continue;
        if (chunk->state == CHUNK_MMAPPED) {
            residency_of_range(sums, chunk->address, chunk->address + chunk->size, &sums->mmapped);
            continue;
        }
        add_free(sums, chunk);
        if (chunk->state >= CHUNK_UNSORTED && chunk->state <= CHUNK_LARGE)
            add_trimmable(sums, chunk);
    }
    return true;
}

/* Chunks in use are of no interest here. */
static void residency_count_used(struct chunk_sink *sink, uint32_t arena, uint64_t size, uint64_t count)
{
    (void)sink;
    (void)arena;
    (void)size;
    (void)count;
}

enum status residency_init(struct residency_sums *sums, uint32_t arena_count, uint64_t page_bytes,
                           uint64_t kept_bytes, residency_count_fn *count, void *context, struct error *err)
{
    *sums =
        (struct residency_sums){.sink = {.consume = residency_consume, .count_used = residency_count_used},
                                .count = count,
                                .context = context,
                                .page_bytes = page_bytes,
                                .kept_bytes = kept_bytes,
                                .arena_count = arena_count};
    sums->free_resident_bytes =
        reserve_calloc(arena_count ? arena_count : 1, sizeof *sums->free_resident_bytes);
    if (!sums->free_resident_bytes)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the residency of %u arenas", arena_count);
    return STATUS_OK;
}

void residency_deinit(struct residency_sums *sums)
{
    reserve_free(sums->free_resident_bytes);
    sums->free_resident_bytes = NULL;
}

void residency_reset(struct residency_sums *sums)
{
    memset(sums->free_resident_bytes, 0, sums->arena_count * sizeof *sums->free_resident_bytes);
    sums->mmapped = sums->free = (struct residency){0};
    sums->trimmable_bytes = 0;
}

static void add_pages(struct residency *sum, const struct residency *part)
{
    sum->resident_bytes += part->resident_bytes;
    sum->swapped_bytes += part->swapped_bytes;
}

void residency_add(struct residency_sums *sums, const struct residency_sums *part)
{
    for (uint32_t i = 0; i < part->arena_count; i++)
        sums->free_resident_bytes[part->first_arena + i - sums->first_arena] += part->free_resident_bytes[i];
    add_pages(&sums->mmapped, &part->mmapped);
    add_pages(&sums->free, &part->free);
    sums->trimmable_bytes += part->trimmable_bytes;
}
