/* collect_arena.c - the arena families: the largest ones each, the rest as one. */
#include "metrics/collect.h"

#include <inttypes.h>
#include <stdio.h>

#include "metrics/emit.h"

typedef bool (*arena_value)(const struct arena_numbers *arena, uint64_t *value);

static bool value_system(const struct arena_numbers *arena, uint64_t *value)
{
    *value = arena->system_bytes;
    return true;
}

static bool value_active(const struct arena_numbers *arena, uint64_t *value)
{
    *value = arena->states[CHUNK_IN_USE].bytes;
    return true;
}

static bool value_free(const struct arena_numbers *arena, uint64_t *value)
{
    *value = 0;
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        if (chunk_state_is_free(state))
            *value += arena->states[state].bytes;
    return true;
}

static bool value_free_resident(const struct arena_numbers *arena, uint64_t *value)
{
    *value = arena->free_resident_bytes;
    return true;
}

static bool value_heaps(const struct arena_numbers *arena, uint64_t *value)
{
    *value = arena->heaps;
    return true;
}

static bool value_threads(const struct arena_numbers *arena, uint64_t *value)
{
    *value = arena->attached_threads.value;
    return arena->attached_threads.is_known;
}

/* Whether fewer than @max arenas are larger than arena @i; equal ones by age. */
static bool is_kept(const struct snapshot *snapshot, uint32_t i, uint32_t max)
{
    if (snapshot->arena_count <= max)
        return true;
    const struct arena_numbers *arenas = snapshot_arenas(snapshot);
    uint32_t larger = 0;
    for (uint32_t j = 0; j < snapshot->arena_count && larger < max; j++)
        larger += arenas[j].system_bytes > arenas[i].system_bytes ||
                  (arenas[j].system_bytes == arenas[i].system_bytes && j < i);
    return larger < max;
}

static void collect_arenas_by(const struct metric_source *source, struct sample_sink *sink, arena_value of)
{
    if (!source->has_numbers || source->is_aggregate || !source->view->per_arena)
        return;
    const struct snapshot *snapshot = source->process->snapshot;
    uint64_t value, others = 0;
    bool has_others = false;
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        const struct arena_numbers *arena = &snapshot_arenas(snapshot)[i];
        if (!of(arena, &value))
            continue;
        if (is_kept(snapshot, i, source->view->max_arenas)) {
            char label[16];
            snprintf(label, sizeof(label), "%" PRIu32, arena->index);
            emit_labelled(sink, "arena", label, value);
        } else {
            others += value;
            has_others = true;
        }
    }
    if (has_others)
        emit_labelled(sink, "arena", "other", others);
}

void collect_arena_system(const struct metric_source *source, struct sample_sink *sink)
{
    collect_arenas_by(source, sink, value_system);
}

void collect_arena_active(const struct metric_source *source, struct sample_sink *sink)
{
    collect_arenas_by(source, sink, value_active);
}

void collect_arena_free(const struct metric_source *source, struct sample_sink *sink)
{
    collect_arenas_by(source, sink, value_free);
}

void collect_arena_heaps(const struct metric_source *source, struct sample_sink *sink)
{
    collect_arenas_by(source, sink, value_heaps);
}

void collect_arena_threads(const struct metric_source *source, struct sample_sink *sink)
{
    collect_arenas_by(source, sink, value_threads);
}

void collect_arena_free_resident(const struct metric_source *source, struct sample_sink *sink)
{
    if (source->view->residency && source->process->snapshot->numbers.has_residency)
        collect_arenas_by(source, sink, value_free_resident);
}
