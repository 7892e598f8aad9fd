/* totals.c - see totals.h. */
#include "analysis/totals.h"

#include <string.h>

#include "base/checked.h"
#include "base/reserve.h"

/* Bucket of a size: the smallest i with size <= 32 · 4^i, the last for all beyond. */
static inline unsigned bucket_of(uint64_t size)
{
    if (size <= 32)
        return 0;
    unsigned width = 64u - (unsigned)__builtin_clzll(size - 1);
    unsigned bucket = (width - 4) / 2;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline void histogram_add(struct histogram *histogram, uint64_t size)
{
    histogram->counts[bucket_of(size)]++;
    histogram->sum_bytes += size;
}

static void totals_count_used(struct chunk_sink *sink, uint32_t arena, uint64_t size, uint64_t count)
{
    struct totals *totals = (struct totals *)sink;
    arena -= totals->first_arena;
    if (arena >= totals->arena_count)
        return;
    totals->arenas[arena][CHUNK_IN_USE].chunks += count;
    totals->arenas[arena][CHUNK_IN_USE].bytes += count * size;
    totals->used.counts[bucket_of(size)] += count;
    totals->used.sum_bytes += count * size;
}

static bool totals_consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct totals *totals = (struct totals *)sink;
    for (size_t i = 0; i < count; i++) {
        const struct chunk *chunk = &chunks[i];
        struct tally *tally = &totals->mmapped;
        uint32_t arena = chunk->arena - totals->first_arena;
        if (arena < totals->arena_count)
            tally = &totals->arenas[arena][chunk->state];
        tally->chunks++;
        tally->bytes += chunk->size;
        if (chunk->state == CHUNK_IN_USE || chunk->state == CHUNK_MMAPPED)
            histogram_add(&totals->used, chunk->size);
        else if (chunk->state != CHUNK_TOP)
            histogram_add(&totals->free, chunk->size);
        if (arena < totals->arena_count && chunk->state >= CHUNK_UNSORTED && chunk->state <= CHUNK_LARGE &&
            chunk->size > totals->largest_binned[arena])
            totals->largest_binned[arena] = chunk->size;
    }
    return true;
}

enum status totals_init(struct totals *totals, uint32_t arena_count, struct error *err)
{
    *totals = (struct totals){.sink = {.consume = totals_consume, .count_used = totals_count_used},
                              .arena_count = arena_count};
    totals->arenas = reserve_calloc(arena_count ? arena_count : 1, sizeof *totals->arenas);
    totals->largest_binned = reserve_calloc(arena_count ? arena_count : 1, sizeof *totals->largest_binned);
    if (totals->arenas && totals->largest_binned)
        return STATUS_OK;
    totals_deinit(totals);
    return error_set(err, STATUS_NO_MEMORY, "no memory for the sums of %u arenas", arena_count);
}

void totals_deinit(struct totals *totals)
{
    reserve_free(totals->arenas);
    reserve_free(totals->largest_binned);
    totals->arenas = NULL;
    totals->largest_binned = NULL;
}

void totals_reset(struct totals *totals)
{
    memset(totals->arenas, 0, totals->arena_count * sizeof *totals->arenas);
    memset(totals->largest_binned, 0, totals->arena_count * sizeof *totals->largest_binned);
    totals->mmapped = (struct tally){0};
    totals->used = totals->free = (struct histogram){0};
}

static void tally_add(struct tally *tally, const struct tally *part)
{
    tally->chunks += part->chunks;
    tally->bytes += part->bytes;
}

static void histogram_add_all(struct histogram *histogram, const struct histogram *part)
{
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->counts[i] += part->counts[i];
    histogram->sum_bytes += part->sum_bytes;
}

void totals_add(struct totals *totals, const struct totals *part)
{
    for (uint32_t i = 0; i < part->arena_count; i++) {
        uint32_t arena = part->first_arena + i - totals->first_arena;
        for (int state = 0; state < CHUNK_STATE_COUNT; state++)
            tally_add(&totals->arenas[arena][state], &part->arenas[i][state]);
        totals->largest_binned[arena] = max_u64(totals->largest_binned[arena], part->largest_binned[i]);
    }
    tally_add(&totals->mmapped, &part->mmapped);
    histogram_add_all(&totals->used, &part->used);
    histogram_add_all(&totals->free, &part->free);
}

uint64_t totals_arena_bytes(const struct totals *totals, uint32_t arena)
{
    uint64_t bytes = 0;
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        bytes += totals->arenas[arena][state].bytes;
    return bytes;
}

void totals_move(struct totals *totals, uint32_t arena, enum chunk_state from, enum chunk_state to,
                 uint64_t count, uint64_t bytes)
{
    struct tally *source = &totals->arenas[arena][from], *target = &totals->arenas[arena][to];
    source->chunks -= count;
    source->bytes -= bytes;
    target->chunks += count;
    target->bytes += bytes;
}
