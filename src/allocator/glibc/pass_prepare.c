/* pass_prepare.c - see pass.h. */
#include "allocator/cache.h"
#include "allocator/glibc/arena.h"
#include "allocator/glibc/lists.h"
#include "allocator/glibc/pass.h"
#include "allocator/glibc/segments.h"
#include "base/checked.h"
#include "base/reserve.h"

/* the largest huge page of any architecture with this glibc: arm64 with 64 KiB pages */
#define HUGE_PAGE_MAX (UINT64_C(16) << 30)

static uint64_t heap_max_of(const struct glibc_layout *layout, const struct glibc_par *par)
{
    if (layout->heap_max_from_hp && par->hp_pagesize != 0 && is_aligned(par->hp_pagesize, 4096) &&
        (par->hp_pagesize & (par->hp_pagesize - 1)) == 0 && par->hp_pagesize <= HUGE_PAGE_MAX)
        return 4 * par->hp_pagesize;
    return layout->heap_max_bytes;
}

/* Read the books of one libc and follow its lists: all that the linear pass has to know before. */
static enum status prepare_heap(struct pass *pass, size_t row, const struct glibc_location *location,
                                bool is_held, struct error *err)
{
    struct glibc_heap *heap = &pass->heaps[row];
    *heap = (struct glibc_heap){.target = pass->target,
                                .maps = pass->maps,
                                .layout = &location->layout,
                                .is_held = is_held,
                                .read_swapped = pass->request->read_swapped,
                                .deadline_ns = pass->deadline_ns,
                                .index_offset = pass->arena_count,
                                .pages = &pass->walk_pages};
    heap->location = (struct glibc_location *)(uintptr_t)location;
    pass->heap_count = row + 1;
    par_read(heap, &heap->par);
    heap->is_part_unread = !heap->par.is_known && location->mp_addr != 0;
    heap->heap_max_bytes = heap_max_of(heap->layout, &heap->par);
    enum status status = arena_read_ring(heap, err);
    pass->arena_count += (uint32_t)heap->arena_count;
    if (status == STATUS_OK)
        status = segments_find(heap, err);
    if (status == STATUS_OK && heap->layout->tcache.size > 0) {
        status = glibc_find_tcaches(pass->target, pass->maps, heap->location, pass->request->cache,
                                    &heap->tcaches, err);
        heap->tcache_numbers = reserve_calloc(heap->tcaches.count + 1, sizeof *heap->tcache_numbers);
        if (!heap->tcache_numbers)
            return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tcaches", heap->tcaches.count);
        for (size_t i = 0; i < heap->tcaches.count; i++)
            heap->tcache_numbers[i] = (struct tcache_numbers){
                .tid = heap->tcaches.rows[i].tid, .address = heap->tcaches.rows[i].address, .is_valid = 1};
    }
    if (status == STATUS_OK)
        status = marks_init(&pass->marks[row], heap, cache_spare(pass->request->cache, SPARE_MARKS), err);
    if (status != STATUS_OK)
        return status;
    marks_begin_slice(&pass->marks[row], 0);
    if (!pass->is_rehearsal || pass->may_note_links)
        status = lists_choose_sides(heap, pass->may_note_links, err);
    if (status == STATUS_OK && !pass->is_rehearsal)
        status = lists_mark(heap, &pass->marks[row], err);
    return status;
}

static enum status prepare_sums(struct pass *pass, struct error *err)
{
    enum status status = totals_init(&pass->totals, pass->arena_count, err);
    if (status != STATUS_OK)
        return status;
    uint64_t kept = 6u * pass->heaps[0].layout->word_bytes; /* sizeof(struct malloc_chunk) */
    status = residency_init(&pass->residency, pass->arena_count, pass->target->page_bytes, kept,
                            page_counter_add, &pass->page_counter, err);
    if (status != STATUS_OK)
        return status;
    struct walk *walk = &pass->walk;
    walk->pause_at_ns = UINT64_MAX;
    walk_add_sink(walk, &pass->totals.sink);
    if (pass->request->want_residency && pass->residency_pages.is_known)
        walk_add_sink(walk, &pass->residency.sink);
    if (pass->request->chunks)
        walk_add_sink(walk, pass->request->chunks);
    status =
        window_init(&walk->window, &pass->heaps[0], cache_spare(pass->request->cache, SPARE_WINDOW), err);
    if (status == STATUS_OK && pass->is_sliced)
        status = slicer_init(&pass->slicer, pass->request, walk, err);
    return status;
}

enum status pass_prepare(struct pass *pass, const struct glibc_locations *locations, bool is_held,
                         struct error *err)
{
    pass->heaps = reserve_calloc(locations->count, sizeof *pass->heaps);
    pass->marks = reserve_calloc(locations->count, sizeof *pass->marks);
    if (!pass->heaps || !pass->marks)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu heaps", locations->count);
    page_view_init(&pass->walk_pages, pass->target, locations->rows[0].main_arena_addr);
    page_view_init(&pass->residency_pages, pass->target, locations->rows[0].main_arena_addr);
    pass->page_counter =
        (struct page_counter){.view = &pass->residency_pages, .deadline_ns = pass->deadline_ns};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < locations->count; i++)
        status = prepare_heap(pass, i, &locations->rows[i], is_held, err);
    return status == STATUS_OK ? prepare_sums(pass, err) : status;
}
