/* pass.c - see pass.h. */
#include "allocator/glibc/pass.h"

#include <string.h>

#include "allocator/glibc/alibi.h"
#include "allocator/glibc/arena.h"
#include "allocator/glibc/lanes.h"
#include "allocator/glibc/links.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/reserve.h"

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
    reserve_free(pass->marks);
    reserve_free(pass->heaps);
    reserve_free(pass);
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

/* The books of mmapped chunks of all libcs. */
static struct glibc_par sum_books(const struct pass *pass, bool as_before)
{
    struct glibc_par sum = {.is_known = true};
    for (size_t i = 0; i < pass->heap_count; i++) {
        struct glibc_par now = pass->heaps[i].par;
        if (!as_before)
            par_read(&pass->heaps[i], &now);
        sum.is_known = sum.is_known && now.is_known;
        sum.mremap_error_bytes = max_u64(sum.mremap_error_bytes, pass->heaps[i].par.mremap_error_bytes);
        sum.n_mmaps += now.n_mmaps;
        sum.mmapped_mem += now.mmapped_mem;
    }
    return sum;
}

/* Whether the books are others by now, or the mappings that were searched. */
static bool has_moved(void *context)
{
    const struct pass *pass = context;
    struct glibc_par now = sum_books(pass, false);
    scoped_maps struct maps maps = {0};
    return now.n_mmaps != pass->par_after.n_mmaps || now.mmapped_mem != pass->par_after.mmapped_mem ||
           target_maps(pass->target, &maps, NULL) != STATUS_OK || !maps_are_equal(pass->maps, &maps);
}

static bool fails(const struct check_result *result)
{
    return result->is_known && !result->is_reconciled;
}

/* Chunks are mapped and counted one after the other, without a lock: between that a thread may be put aside.
 */
static void check_mmapped(struct pass *pass, const struct glibc_par *before)
{
    struct check_result trial[CHECK_COUNT];
    memcpy(trial, pass->checks, sizeof trial);
    books_check_mmapped(&pass->mmapped_found, before, &pass->par_after, false, trial);
    bool is_claimed = fails(&trial[CHECK_MMAPPED_CHUNKS]) || fails(&trial[CHECK_MMAPPED_BYTES]);
    bool may_move = is_claimed && !pass->heaps[0].is_held &&
                    !alibi_stands(&(struct claim){.target = pass->target,
                                                  .has_moved = has_moved,
                                                  .context = pass,
                                                  .is_locked = true,
                                                  .deadline_ns = pass->deadline_ns});
    books_check_mmapped(&pass->mmapped_found, before, &pass->par_after, may_move, pass->checks);
}

static void check_all(struct pass *pass)
{
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        pass->checks[check] = (struct check_result){.is_known = true, .is_reconciled = true};
    for (size_t i = 0; i < pass->heap_count; i++) {
        struct glibc_heap *heap = &pass->heaps[i];
        links_settle(heap, &pass->totals);
        if (heap->is_held)
            books_settle_orphans(heap, &pass->totals);
        books_check(heap, &pass->totals, pass->checks);
    }
    struct glibc_par before = sum_books(pass, true);
    pass->par_after = sum_books(pass, false);
    check_mmapped(pass, &before);
}

/* The links of all free chunks did not fit: the sums of this pass mean nothing. */
static bool has_full_links(const struct pass *pass)
{
    for (size_t i = 0; i < pass->heap_count; i++)
        if (pass->heaps[i].links.is_full)
            return true;
    return false;
}

static enum status run_once(struct pass *pass, const struct glibc_locations *locations, bool is_held,
                            struct error *err)
{
    enum status status = pass_prepare(pass, locations, is_held, err);
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

/* Empty but for what it is asked; NULL: no memory. */
static struct pass *pass_new(struct target *target, const struct scan_request *request,
                             const struct maps *maps, uint64_t deadline_ns, struct error *err)
{
    struct pass *pass = reserve_calloc(1, sizeof *pass);
    if (!pass) {
        error_set(err, STATUS_NO_MEMORY, "no memory for a scan");
        return NULL;
    }
    pass->target = target;
    pass->request = request;
    pass->maps = maps;
    pass->deadline_ns = deadline_ns;
    return pass;
}

enum status pass_rehearse(struct target *target, const struct scan_request *request, const struct maps *maps,
                          const struct glibc_locations *locations, uint64_t deadline_ns, struct error *err)
{
    scoped_pass struct pass *pass = pass_new(target, request, maps, deadline_ns, err);
    if (!pass)
        return STATUS_NO_MEMORY;
    pass->may_note_links = !request->chunks;
    pass->is_rehearsal = true;
    enum status status = pass_prepare(pass, locations, false, err);
    for (size_t i = 0; status == STATUS_OK && i < pass->heap_count; i++)
        links_settle(&pass->heaps[i], &pass->totals);
    return status;
}

enum status pass_run(struct target *target, const struct scan_request *request, const struct maps *maps,
                     const struct glibc_locations *locations, bool is_held, uint64_t deadline_ns,
                     struct pass **ret, struct error *err)
{
    bool is_sliced = request->consistency == CONSISTENCY_SLICED && request->holder && !is_held;
    /* a dump must know each chunk's list before; a slice may be walked twice */
    for (bool may_note_links = !request->chunks && !is_sliced;; may_note_links = false) {
        scoped_pass struct pass *pass = pass_new(target, request, maps, deadline_ns, err);
        if (!pass)
            return STATUS_NO_MEMORY;
        pass->may_note_links = may_note_links;
        pass->is_sliced = is_sliced;
        enum status status = run_once(pass, locations, is_held, err);
        if (status != STATUS_OK)
            return status;
        if (has_full_links(pass))
            continue;
        *ret = take_ptr(pass);
        return STATUS_OK;
    }
}
