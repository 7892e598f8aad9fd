/* pass.c - see pass.h. */
#include "allocator/glibc/pass.h"

#include <stdlib.h>

#include "allocator/glibc/arena.h"
#include "allocator/glibc/lanes.h"
#include "allocator/glibc/links.h"
#include "allocator/glibc/lists.h"
#include "allocator/glibc/segments.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* the largest huge page of any architecture with this glibc: arm64 with 64 KiB pages */
#define HUGE_PAGE_MAX (UINT64_C(16) << 30)

void pass_free(struct pass *pass)
{
    if (!pass)
        return;
    if (pass->request->threads)
        lanes_trim(pass->request->threads);
    window_deinit(&pass->walk.window);
    slicer_deinit(&pass->slicer);
    totals_deinit(&pass->totals);
    residency_deinit(&pass->residency);
    for (size_t i = 0; i < pass->heap_count; i++) {
        marks_deinit(&pass->marks[i]);
        heap_deinit(&pass->heaps[i]);
    }
    free(pass->marks);
    free(pass->heaps);
    free(pass);
}

static inline void scoped_pass_run(struct pass **pass)
{
    pass_free(*pass);
}

static uint64_t heap_max_of(const struct glibc_layout *layout, const struct glibc_par *par)
{
    if (layout->heap_max_from_hp && par->hp_pagesize != 0 && is_aligned(par->hp_pagesize, 4096) &&
        (par->hp_pagesize & (par->hp_pagesize - 1)) == 0 && par->hp_pagesize <= HUGE_PAGE_MAX)
        return 4 * par->hp_pagesize;
    return layout->heap_max_bytes;
}

/* Read the books of one libc and follow its lists: all that the linear pass has to know before. */
static enum status prepare_heap(struct pass *pass, size_t row, const struct glibc_location *location,
                                bool is_held, uint64_t deadline_ns, struct error *err)
{
    struct glibc_heap *heap = &pass->heaps[row];
    *heap = (struct glibc_heap){.target = pass->target,
                                .maps = pass->maps,
                                .layout = &location->layout,
                                .is_held = is_held,
                                .read_swapped = pass->request->read_swapped,
                                .deadline_ns = deadline_ns,
                                .index_offset = pass->arena_count,
                                .pages = &pass->walk_pages};
    heap->location = (struct glibc_location *)(uintptr_t)location;
    pass->heap_count = row + 1;
    par_read(heap, &heap->par);
    heap->heap_max_bytes = heap_max_of(heap->layout, &heap->par);
    enum status status = arena_read_ring(heap, err);
    pass->arena_count += (uint32_t)heap->arena_count;
    if (status == STATUS_OK)
        status = segments_find(heap, err);
    if (status == STATUS_OK && heap->layout->tcache.size > 0) {
        status = glibc_find_tcaches(pass->target, pass->maps, heap->location, pass->request->cache,
                                    &heap->tcaches, err);
        heap->tcache_numbers = calloc(heap->tcaches.count + 1, sizeof *heap->tcache_numbers);
        if (!heap->tcache_numbers)
            return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tcaches", heap->tcaches.count);
        for (size_t i = 0; i < heap->tcaches.count; i++)
            heap->tcache_numbers[i] = (struct tcache_numbers){
                .tid = heap->tcaches.rows[i].tid, .address = heap->tcaches.rows[i].address, .is_valid = 1};
    }
    if (status == STATUS_OK)
        status = marks_init(&pass->marks[row], heap, err);
    if (status == STATUS_OK) {
        marks_begin_slice(&pass->marks[row], 0);
        status = lists_choose_sides(heap, pass->may_note_links, err);
    }
    if (status == STATUS_OK)
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
    status = window_init(&walk->window, &pass->heaps[0], err);
    if (status == STATUS_OK && pass->is_sliced)
        status = slicer_init(&pass->slicer, pass->request, walk, err);
    return status;
}

/* Where glibc gives back what top holds: whole pages at its end, by a smaller break (malloc.c, systrim). */
static void count_trimmable_top(struct pass *pass)
{
    const struct glibc_heap *heap = &pass->heaps[0];
    const struct glibc_arena *arena = &heap->arenas[0];
    uint64_t end = arena->top_addr + arena->top_bytes, page = pass->target->page_bytes;
    const struct mapping *mapping = arena->top_bytes ? maps_find(pass->maps, end - 1) : NULL;
    if (!mapping || (arena->flags & ARENA_NONCONTIGUOUS) || mapping->end != end ||
        arena->top_bytes <= heap->layout->min_size + 1u)
        return;
    if (heap->layout->trim_by_thp && heap->par.thp_pagesize)
        page = heap->par.thp_pagesize;
    uint64_t extra = align_down(arena->top_bytes - heap->layout->min_size - 1, page), swapped = 0;
    page_counter_add(&pass->page_counter, align_up(end - extra, pass->target->page_bytes), end,
                     &pass->trimmable_top_bytes, &swapped);
}

/* Whether the mappings that were searched are others by now, where that could be why chunks are missing. */
static bool has_other_maps(const struct pass *pass)
{
    scoped_maps struct maps now = {0};
    return !pass->heaps[0].is_held && pass->mmapped_found.chunks != pass->heaps[0].par.n_mmaps &&
           (target_maps(pass->target, &now, NULL) != STATUS_OK || !maps_are_equal(pass->maps, &now));
}

static void check_all(struct pass *pass)
{
    struct glibc_par before = {.is_known = true}, after = {.is_known = true};
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        pass->checks[check] = (struct check_result){.is_known = true, .is_reconciled = true};
    for (size_t i = 0; i < pass->heap_count; i++) {
        struct glibc_heap *heap = &pass->heaps[i];
        struct glibc_par now;
        links_settle(heap, &pass->totals);
        if (heap->is_held)
            books_settle_orphans(heap, &pass->totals);
        books_check(heap, &pass->totals, pass->checks);
        par_read(heap, &now);
        before.is_known = before.is_known && heap->par.is_known;
        after.is_known = after.is_known && now.is_known;
        before.mremap_error_bytes = max_u64(before.mremap_error_bytes, heap->par.mremap_error_bytes);
        after.mremap_error_bytes = before.mremap_error_bytes;
        before.n_mmaps += heap->par.n_mmaps;
        before.mmapped_mem += heap->par.mmapped_mem;
        after.n_mmaps += now.n_mmaps;
        after.mmapped_mem += now.mmapped_mem;
    }
    books_check_mmapped(&pass->mmapped_found, &before, &after, has_other_maps(pass), pass->checks);
    pass->par_after = after;
}

/* The links of all free chunks did not fit: the sums of this pass mean nothing. */
static bool has_full_links(const struct pass *pass)
{
    for (size_t i = 0; i < pass->heap_count; i++)
        if (pass->heaps[i].links.is_full)
            return true;
    return false;
}

static enum status run_steps(struct pass *pass, const struct glibc_locations *locations, bool is_held,
                             uint64_t deadline_ns, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < locations->count; i++)
        status = prepare_heap(pass, i, &locations->rows[i], is_held, deadline_ns, err);
    if (status == STATUS_OK)
        status = prepare_sums(pass, err);
    if (status == STATUS_OK)
        status = pass_walk(pass, err);
    if (status != STATUS_OK || has_full_links(pass))
        return status;
    if (pass->request->want_residency && pass->residency_pages.is_known)
        count_trimmable_top(pass);
    check_all(pass);
    if (pass->page_counter.is_late)
        return error_set(err, STATUS_TIMEOUT, "the time for the scan ran out among the pages of free chunks");
    return STATUS_OK;
}

static enum status run_once(struct pass *pass, const struct glibc_locations *locations, bool is_held,
                            uint64_t deadline_ns, struct error *err)
{
    pass->heaps = calloc(locations->count, sizeof *pass->heaps);
    pass->marks = calloc(locations->count, sizeof *pass->marks);
    if (!pass->heaps || !pass->marks)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu heaps", locations->count);
    page_view_init(&pass->walk_pages, pass->target, locations->rows[0].main_arena_addr);
    page_view_init(&pass->residency_pages, pass->target, locations->rows[0].main_arena_addr);
    pass->page_counter =
        (struct page_counter){.view = &pass->residency_pages, .deadline_ns = pass->deadline_ns};
    return run_steps(pass, locations, is_held, deadline_ns, err);
}

enum status pass_run(struct target *target, const struct scan_request *request, const struct maps *maps,
                     const struct glibc_locations *locations, bool is_held, uint64_t deadline_ns,
                     struct pass **ret, struct error *err)
{
    bool is_sliced = request->consistency == CONSISTENCY_SLICED && request->holder && !is_held;
    /* a dump must know each chunk's list before; a slice may be walked twice */
    for (bool may_note_links = !request->chunks && !is_sliced;; may_note_links = false) {
        __attribute__((cleanup(scoped_pass_run))) struct pass *pass = calloc(1, sizeof *pass);
        if (!pass)
            return error_set(err, STATUS_NO_MEMORY, "no memory for a scan");
        pass->target = target;
        pass->request = request;
        pass->maps = maps;
        pass->deadline_ns = deadline_ns;
        pass->may_note_links = may_note_links;
        pass->is_sliced = is_sliced;
        enum status status = run_once(pass, locations, is_held, deadline_ns, err);
        if (status != STATUS_OK)
            return status;
        if (has_full_links(pass))
            continue;
        *ret = take_ptr(pass);
        return STATUS_OK;
    }
}
