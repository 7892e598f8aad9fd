/* lane.c - see lane.h. */
#include "allocator/glibc/lane.h"

#include <string.h>
#include <sys/mman.h>

#include "allocator/glibc/links.h"
#include "base/checked.h"

enum status lane_init(struct lane *lane, struct slices *slices, struct error *err)
{
    lane->slices = slices;
    enum status status = lane_queue_init(&lane->queue, err);
    if (status == STATUS_OK)
        status = window_init(&lane->walk.window, &lane->heap, NULL, err);
    if (status == STATUS_OK)
        status = links_init(&lane->links, err);
    if (status == STATUS_OK)
        status = totals_init(&lane->totals, 1, err);
    if (status == STATUS_OK)
        status = residency_init(&lane->residency, 1, 0, 0, page_counter_add, &lane->page_counter, err);
    if (status == STATUS_OK)
        memset(lane->walk.window.data, 0, WINDOW_BYTES); /* under a stop there is no time for its pages */
    else
        lane_deinit(lane);
    return status;
}

void lane_deinit(struct lane *lane)
{
    lane_queue_deinit(&lane->queue);
    window_deinit(&lane->walk.window);
    links_deinit(&lane->links);
    totals_deinit(&lane->totals);
    residency_deinit(&lane->residency);
}

/* A view like @of, which reads by @target. */
static void share_pages(struct page_view *view, const struct page_view *of, struct target *target)
{
    view->target = target;
    view->is_known = of->is_known;
    view->swapped = of->swapped;
    view->swapped_count = of->swapped_count;
    page_view_forget(view);
}

static void begin_walk(struct lane *lane)
{
    struct walk *walk = &lane->walk;
    walk->heap = walk->window.heap = &lane->heap;
    walk->arena = &lane->arena;
    walk->slices = lane->slices;
    walk->marks = &lane->marks;
    walk->pause_at_ns = UINT64_MAX;
    walk->alibi.looks = 0;
    walk->sink_count = 0;
    walk->batch_count = 0;
    walk->wants_each = walk->is_stopped = walk->is_full = false;
    walk_add_sink(walk, &lane->totals.sink);
    if (lane->wants_residency)
        walk_add_sink(walk, &lane->residency.sink);
    if (lane->has_queue)
        walk_add_sink(walk, &lane->queue.sink);
}

void lane_begin_pass(struct lane *lane, struct pass *pass)
{
    lane->pass = pass;
    lane->target = target_share(pass->target, &lane->share);
    lane->wants_residency = pass->request->want_residency && pass->residency_pages.is_known;
    lane->has_queue = pass->request->chunks != NULL;
    share_pages(&lane->walk_pages, &pass->walk_pages, lane->target);
    share_pages(&lane->residency_pages, &pass->residency_pages, lane->target);
    lane->page_counter =
        (struct page_counter){.view = &lane->residency_pages, .deadline_ns = pass->deadline_ns};
    lane->residency.page_bytes = pass->residency.page_bytes;
    lane->residency.kept_bytes = pass->residency.kept_bytes;
    residency_reset(&lane->residency);
    totals_reset(&lane->totals);
    lane->segments = (struct residency){0};
    lane->marks = (struct marks){0};
    lane->links.count = 0;
    if (lane->has_queue)
        lane_queue_restart(&lane->queue, pass->request->chunks);
    begin_walk(lane);
}

void lane_begin_turn(struct lane *lane, struct turn *turn)
{
    const struct pass *pass = lane->pass;
    const struct glibc_heap *whole = &pass->heaps[turn->heap];
    const struct marks *marks = &pass->marks[turn->heap];
    const struct glibc_arena *arena = &whole->arenas[whole->segments[turn->segment].arena];
    lane->heap = *whole;
    lane->heap.target = lane->target;
    lane->heap.pages = &lane->walk_pages;
    lane->heap.completeness = (struct completeness){0};
    lane->heap.links = lane->links;
    arena_part_begin(&lane->arena, lane->state, arena, whole->layout);
    lane->totals.first_arena = lane->residency.first_arena = arena->index;
    if (lane->marks.whole != marks) {
        slices_leave(lane->slices, &lane->marks);
        lane->marks = *marks;
        lane->marks.whole = marks;
    }
}

void lane_walk_turn(struct lane *lane, const struct turn *turn)
{
    const struct glibc_segment *segment = &lane->heap.segments[turn->segment];
    if (lane->wants_residency)
        residency_of_range(&lane->residency, segment->base, segment->end, &lane->segments);
    lane->err = (struct error){0};
    lane->status = walk_segment(&lane->walk, segment, &lane->err);
    walk_flush(&lane->walk);
}

/* Keep the first notes by turn and, within one, as they were made; those from before the walk are turn 0. */
static void keep_note(struct glibc_heap *whole, const struct completeness_note *note, uint32_t turn)
{
    struct completeness *sum = &whole->completeness;
    size_t kept = (size_t)min_u64(sum->notes_count, COMPLETENESS_NOTES_MAX), at = kept;
    while (at > 0 && whole->note_turns[at - 1] > turn)
        at--;
    sum->notes_count++;
    if (at == COMPLETENESS_NOTES_MAX)
        return;
    size_t behind = min_u64(kept, COMPLETENESS_NOTES_MAX - 1) - at;
    memmove(&sum->notes[at + 1], &sum->notes[at], behind * sizeof *sum->notes);
    memmove(&whole->note_turns[at + 1], &whole->note_turns[at], behind * sizeof *whole->note_turns);
    sum->notes[at] = *note;
    whole->note_turns[at] = turn;
}

static void add_completeness(struct glibc_heap *whole, const struct completeness *part, uint32_t turn)
{
    uint64_t kept = min_u64(part->notes_count, COMPLETENESS_NOTES_MAX);
    whole->completeness.corrupt_count += part->corrupt_count;
    whole->completeness.resync_count += part->resync_count;
    for (uint64_t i = 0; i < kept; i++)
        keep_note(whole, &part->notes[i], turn);
    whole->completeness.notes_count += part->notes_count - kept;
}

void lane_end_turn(struct lane *lane, struct turn *turn)
{
    struct pass *pass = lane->pass;
    struct glibc_heap *whole = &pass->heaps[turn->heap];
    struct glibc_arena *arena = &whole->arenas[lane->heap.segments[turn->segment].arena];
    /* lists that another lane follows begin in the books */
    if (lane->arena.has_moved)
        pthread_mutex_lock(&lane->slices->lock);
    arena_part_add(arena, &lane->arena, whole->layout);
    if (lane->arena.has_moved)
        pthread_mutex_unlock(&lane->slices->lock);
    totals_add(&pass->totals, &lane->totals);
    totals_reset(&lane->totals);
    if (lane->wants_residency) {
        residency_add(&pass->residency, &lane->residency);
        residency_reset(&lane->residency);
    }
    add_completeness(whole, &lane->heap.completeness, (uint32_t)lane->turn + 1);
    turn->first_link = lane->links.count;
    turn->link_count = lane->heap.links.count - lane->links.count;
    lane->links.count = lane->heap.links.count;
    whole->links.is_full = whole->links.is_full || lane->heap.links.is_full;
}

void lane_end_pass(struct lane *lane)
{
    struct pass *pass = lane->pass;
    pass->segments.resident_bytes += lane->segments.resident_bytes;
    pass->segments.swapped_bytes += lane->segments.swapped_bytes;
    pass->page_counter.is_late = pass->page_counter.is_late || lane->page_counter.is_late;
    pass->target->read_bytes += lane->target->read_bytes;
    pass->target->read_calls += lane->target->read_calls;
    if (pass->target->trouble_errno == 0) {
        pass->target->trouble_errno = lane->target->trouble_errno;
        pass->target->trouble_what = lane->target->trouble_what;
    }
}

void lane_trim(struct lane *lane)
{
    lane_queue_trim(&lane->queue);
    if (lane->links.count > 0)
        madvise(lane->links.rows, LINKS_BYTES_MAX, MADV_DONTNEED);
    lane->links.count = 0;
}
