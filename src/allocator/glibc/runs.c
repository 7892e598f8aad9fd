/* runs.c - see runs.h. */
#include "allocator/glibc/runs.h"

#include <string.h>

#include "allocator/glibc/chain.h"
#include "allocator/glibc/segments.h"
#include "base/checked.h"
#include "base/clock.h"

/* what a live heap may grow by between two looks at it */
#define GROWTH_MAX (UINT64_C(1) << 30)

/* Memory from @base on, whose first chunk is at @start and whose used part ends at @end. */
static enum status append_run(struct glibc_heap *heap, uint64_t base, uint64_t start, uint64_t end,
                              bool has_top, struct error *err)
{
    struct glibc_arena *arena = &heap->arenas[0];
    struct glibc_segment segment = {
        .base = base, .start = start, .end = end, .reserved_end = end, .has_top = has_top, .is_main = true};
    arena->heaps++;
    arena->overhead_bytes += start - base;
    return segments_append(heap, &segment, err);
}

/* Whether the memory of the main arena can end at @end: it may have grown since the mappings were read. */
static bool is_mapped_end(const struct glibc_heap *heap, uint64_t end)
{
    for (size_t i = heap->maps->count; i-- > 0;)
        if (heap->maps->rows[i].start < end)
            return end <= heap->maps->rows[i].end ||
                   (!heap->is_held && end - heap->maps->rows[i].end <= GROWTH_MAX);
    return false;
}

static enum status find_contiguous(struct glibc_heap *heap, struct error *err)
{
    struct glibc_arena *arena = &heap->arenas[0];
    /* where top has no header, what the system gave says where it ends */
    uint64_t end =
        arena->top_bytes ? arena->top_addr + arena->top_bytes : heap->par.sbrk_base + arena->system_bytes;
    uint64_t base =
        heap->par.is_known && heap->par.sbrk_base ? heap->par.sbrk_base : end - arena->system_bytes;
    uint64_t start = segments_first_chunk(heap, base);
    /* a foreign sbrk may have unmapped pages of its own between; only the ends must be ours */
    if (start < base || start > arena->top_addr || end < arena->top_addr ||
        end - arena->top_addr < heap->layout->min_size || !maps_find(heap->maps, base) ||
        !is_mapped_end(heap, end)) {
        arena->is_lost = true;
        return STATUS_OK;
    }
    return append_run(heap, base, start, end, true, err);
}

/* Whether @address lies in the reserved range of a sub-heap of another arena. */
static bool is_in_sub_heap(const struct glibc_heap *heap, uint64_t address)
{
    uint64_t base = align_down(address, heap->heap_max_bytes), owner;
    if (!target_read_word(heap->target, base + (uint64_t)heap->layout->heap.ar_ptr, &owner)) {
        for (size_t i = 1; i < heap->arena_count; i++)
            if (heap->arenas[i].addr == owner)
                return true;
    }
    return false;
}

struct run_search {
    struct glibc_heap *heap;
    struct window window;
    uint64_t top;
};

/* Append the run that begins at @base, if one does; *@next is where to go on. */
static enum status try_run(struct run_search *search, uint64_t base, uint64_t start, uint64_t limit,
                           uint64_t *next, struct error *err)
{
    struct glibc_heap *heap = search->heap;
    uint64_t end;
    *next = 0;
    enum chain_end found = chain_follow(&search->window, start, limit, search->top, UINT64_MAX, &end);
    if (found == CHAIN_TOP)
        end = search->top + heap->arenas[0].top_bytes;
    else if (found != CHAIN_FENCE)
        return STATUS_OK;
    *next = end;
    return append_run(heap, base, start, end, found == CHAIN_TOP, err);
}

/* The runs of brk: from sbrk_base, over foreign gaps (which system_mem counts), to the last fence. */
static enum status find_brk_runs(struct run_search *search, uint64_t range_end, uint64_t *reached,
                                 struct error *err)
{
    uint64_t base = search->heap->par.sbrk_base, next;
    uint64_t start = segments_first_chunk(search->heap, base);
    const struct mapping *mapping = maps_find(search->heap->maps, base);
    bool is_brk = search->heap->target->is_frozen || (mapping && strcmp(mapping->name, "[heap]") == 0);
    for (;;) {
        enum status status = try_run(search, base, start, range_end, &next, err);
        if (status != STATUS_OK || next == 0)
            return status;
        *reached = next;
        base = next;
        /* foreign bytes may follow in brk's memory; behind a run that was mapped the next begins a page */
        if (!is_brk)
            return STATUS_OK;
        start = chain_find_start(&search->window, next, range_end, search->top);
        if (start == 0)
            return STATUS_OK;
    }
}

static enum status search_range(struct run_search *search, uint64_t range_start, uint64_t range_end,
                                struct error *err)
{
    struct glibc_heap *heap = search->heap;
    uint64_t page = heap->target->page_bytes, at = range_start;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && at < range_end) {
        uint64_t next = 0;
        if (clock_monotonic_ns() > heap->deadline_ns)
            return error_set(err, STATUS_TIMEOUT, "the time for the scan ran out in the mapping at 0x%llx",
                             (unsigned long long)range_start);
        if (heap->par.sbrk_base >= at && heap->par.sbrk_base < at + page && heap->par.sbrk_base != 0) {
            at += page;
            status = find_brk_runs(search, range_end, &at, err);
            continue;
        }
        if (is_in_sub_heap(heap, at)) {
            at = align_down(at, heap->heap_max_bytes) + heap->heap_max_bytes;
            continue;
        }
        if (page_view_state(heap->pages, at) == PAGE_PRESENT)
            status = try_run(search, at, segments_first_chunk(heap, at), range_end, &next, err);
        at = next ? next : at + page;
    }
    return status;
}

static bool may_hold_runs(const struct mapping *mapping)
{
    return mapping_is_anonymous(mapping) && mapping->is_readable && strncmp(mapping->name, "[s", 2) != 0;
}

static enum status find_scattered(struct glibc_heap *heap, struct error *err)
{
    struct run_search search = {.heap = heap, .top = heap->arenas[0].top_addr};
    enum status status = window_init(&search.window, heap, NULL, err);
    const struct maps *maps = heap->maps;
    for (size_t i = 0; status == STATUS_OK && i < maps->count; i++) {
        if (!may_hold_runs(&maps->rows[i]))
            continue;
        /* one run can lie in several mappings: the kernel splits them by what madvise(2) was told of them */
        uint64_t start = maps->rows[i].start;
        while (i + 1 < maps->count && maps->rows[i + 1].start == maps->rows[i].end &&
               may_hold_runs(&maps->rows[i + 1]))
            i++;
        status = search_range(&search, start, maps->rows[i].end, err);
    }
    window_deinit(&search.window);
    return status;
}

enum status runs_find(struct glibc_heap *heap, struct error *err)
{
    const struct glibc_arena *arena = &heap->arenas[0];
    if (arena->is_top_initial)
        return STATUS_OK;
    if (!(arena->flags & ARENA_NONCONTIGUOUS))
        return find_contiguous(heap, err);
    /* of several runs no book says where the last one ends */
    return arena->top_bytes ? find_scattered(heap, err) : STATUS_OK;
}
