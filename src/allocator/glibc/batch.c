/* batch.c - see walk.h: what the walk found, on its way to the sinks. */
#include "allocator/glibc/walk.h"

void walk_flush(struct walk *walk)
{
    for (size_t i = 0; i < walk->sink_count && walk->batch_count; i++)
        if (!walk->sinks[i]->consume(walk->sinks[i], walk->batch, walk->batch_count))
            walk->is_stopped = true;
    walk->batch_count = 0;
}

void walk_emit(struct walk *walk, const struct chunk *chunk)
{
    walk->batch[walk->batch_count++] = *chunk;
    if (walk->batch_count == WALK_BATCH)
        walk_flush(walk);
}

void walk_add_sink(struct walk *walk, struct chunk_sink *sink)
{
    walk->sinks[walk->sink_count++] = sink;
    walk->wants_each = walk->wants_each || !sink->count_used;
}

void walk_flush_counts(struct walk *walk, uint32_t arena)
{
    for (size_t i = 0; i < sizeof walk->used_counts / sizeof *walk->used_counts; i++) {
        if (walk->used_counts[i] == 0)
            continue;
        for (size_t sink = 0; sink < walk->sink_count; sink++)
            walk->sinks[sink]->count_used(walk->sinks[sink], arena, (uint64_t)i << WALK_COUNTED_SHIFT,
                                          walk->used_counts[i]);
        walk->used_counts[i] = 0;
    }
}
