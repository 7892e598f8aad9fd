/* pass_walk.c - see pass.h. */
#include "allocator/glibc/lanes.h"
#include "allocator/glibc/pass.h"
#include "base/checked.h"
#include "base/reserve.h"
#include "base/sort.h"

static int by_start(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* All segments of all libcs by address; the caller frees. */
static struct turn *order_segments(const struct pass *pass, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < pass->heap_count; i++)
        *count += pass->heaps[i].segment_count;
    struct turn *turns = reserve_calloc(*count + 1, sizeof *turns);
    size_t n = 0;
    for (size_t i = 0; turns && i < pass->heap_count; i++)
        for (size_t j = 0; j < pass->heaps[i].segment_count; j++)
            turns[n++] = (struct turn){
                .start = pass->heaps[i].segments[j].start, .heap = (uint32_t)i, .segment = (uint32_t)j};
    if (turns)
        sort_rows(turns, n, sizeof *turns, by_start);
    return turns;
}

static void emit_mmapped(void *context, const struct chunk *chunk)
{
    walk_emit(context, chunk);
}

static enum status walk_turn(struct pass *pass, const struct turn *turn, struct error *err)
{
    struct glibc_heap *heap = &pass->heaps[turn->heap];
    const struct glibc_segment *segment = &heap->segments[turn->segment];
    pass->walk.heap = heap;
    pass->walk.window.heap = heap;
    pass->walk.arena = &heap->arenas[segment->arena];
    pass->walk.marks = &pass->marks[turn->heap];
    if (pass->request->want_residency && pass->residency_pages.is_known)
        residency_of_range(&pass->residency, segment->base, segment->end, &pass->segments);
    enum status status = pass->slicer.chunks ? sliced_walk_segment(&pass->slicer, segment, err)
                                             : walk_segment(&pass->walk, segment, err);
    walk_flush(&pass->walk);
    return status;
}

/* All turns by this thread, and the gaps between them. */
static enum status walk_turns(struct pass *pass, const struct turn *turns, size_t count,
                              struct mmapped_search *search, struct error *err)
{
    uint64_t from = 0;
    for (size_t i = 0; i < count; i++) {
        const struct glibc_segment *segment = &pass->heaps[turns[i].heap].segments[turns[i].segment];
        mmapped_find(search, from, segment->base);
        walk_flush(&pass->walk);
        enum status status = walk_turn(pass, &turns[i], err);
        if (status != STATUS_OK)
            return status;
        from = max_u64(segment->end, segment->reserved_end);
    }
    mmapped_find(search, from, UINT64_MAX);
    walk_flush(&pass->walk);
    return STATUS_OK;
}

enum status pass_walk(struct pass *pass, struct error *err)
{
    size_t count;
    scoped_reserved struct turn *turns = order_segments(pass, &count);
    if (!turns)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu segments", count);
    struct mmapped_search search = {.heap = &pass->heaps[0], .emit = emit_mmapped, .context = &pass->walk};
    for (size_t i = 0; i < pass->heap_count; i++) {
        search.wanted_chunks += pass->heaps[i].par.n_mmaps;
        search.wanted_bytes += pass->heaps[i].par.mmapped_mem;
    }
    enum status status = lanes_are_possible(pass, count) ? lanes_walk(pass, turns, count, &search, err)
                                                         : walk_turns(pass, turns, count, &search, err);
    pass->mmapped_found = search.found;
    pass->heaps[0].is_part_unread |= search.is_unread && search.found.chunks < search.wanted_chunks;
    return status == STATUS_OK && pass->walk.is_stopped ? STATUS_STOPPED : status;
}
