/* lists.c - see lists.h. */
#include "allocator/glibc/lists.h"

#include <string.h>

#include "allocator/glibc/links.h"
#include "allocator/glibc/list_kinds.h"
#include "base/checked.h"
#include "base/reserve.h"

#define TCACHE_LIST_MAX 65536u
/* members of a side that are followed before the other side is tried */
#define SIDE_NODES_FIRST 64u
/* where both sides have more than one in so many bytes, noting the links of all free chunks costs less */
#define SIDE_NODE_BYTES (UINT64_C(1) << 20)

/* The lists of one run: of the arenas the fastbins and the bins of one side, then the tcaches. */
struct list_run {
    struct marks *marks; /* NULL: only measure */
    bool is_first;
    size_t arena, arena_end;
    unsigned turn; /* fastbins, then bins */
    bool wants_fastbins;
    bool measures_bins; /* while measuring: the bins, else the unsorted list */
    bool is_broken;
    size_t tcache, tcache_end;
    unsigned tcache_bin;
    uint8_t *tcache_data; /* of the tcache at its turn */
};

static void count_member(struct glibc_heap *heap, const struct list_cursor *cursor, uint64_t size)
{
    if (cursor->kind == LIST_TCACHE) {
        heap->tcache_numbers[cursor->owner].tally.chunks++;
        heap->tcache_numbers[cursor->owner].tally.bytes += size;
    } else if (cursor->kind == LIST_FASTBIN) {
        bin_sums_count(&heap->arenas[cursor->owner].fast[cursor->bin], size);
    }
}

static const enum mark MARK_OF_KIND[] = {
    [LIST_TCACHE] = MARK_TCACHE, [LIST_FASTBIN] = MARK_FASTBIN, [LIST_BIN] = MARK_SIDE};

static bool take(struct list_engine *engine, struct list_cursor *cursor)
{
    struct glibc_heap *heap = engine->heap;
    struct list_run *run = engine->context;
    unsigned word = heap->layout->word_bytes;
    uint64_t field = heap_word(heap, cursor->node + word), size = field & ~(uint64_t)CHUNK_FLAGS;
    const struct glibc_segment *segment = heap_find_segment(heap, cursor->chunk);
    /* since 2.43 an mmapped chunk can wait in a tcache; it belongs to no segment */
    bool is_mapping = cursor->kind == LIST_TCACHE && (field & CHUNK_IS_MMAPPED);
    if (cursor->kind == LIST_BIN && heap_word(heap, cursor->node + 3u * word) != cursor->previous)
        return false;
    if (!is_mapping && (!segment || !list_has_size(heap, cursor, size)))
        return false;
    if (segment && cursor->kind != LIST_TCACHE && segment->arena != cursor->owner)
        return false;
    if (run->marks && segment && !marks_set(run->marks, segment, cursor->chunk, MARK_OF_KIND[cursor->kind]))
        return false;
    if (run->marks && run->is_first)
        count_member(heap, cursor, size);
    cursor->previous = cursor->chunk;
    cursor->chunk = list_next(heap, cursor);
    return true;
}

static void broken(struct list_engine *engine, const struct list_cursor *cursor)
{
    struct glibc_heap *heap = engine->heap;
    struct list_run *run = engine->context;
    run->is_broken = true;
    if (!run->marks || !run->is_first)
        return;
    heap->is_part_unread |= cursor->is_unread;
    uint32_t arena = CHUNK_NO_ARENA;
    if (cursor->kind == LIST_TCACHE)
        heap->tcache_numbers[cursor->owner].is_valid = 0;
    else
        arena = heap->arenas[cursor->owner].index;
    if (heap->is_held)
        heap_note_corrupt(heap, NOTE_BAD_LINK, cursor->chunk, arena);
    else
        completeness_note(&heap->completeness, NOTE_BAD_LINK, cursor->chunk, arena);
}

/* The arenas' lists in their order: fastbins, then unsorted or bins 2 … 126. */
static bool next_arena_list(struct glibc_heap *heap, struct list_run *run, struct list_cursor *ret)
{
    while (run->arena < run->arena_end) {
        const struct glibc_arena *arena = &heap->arenas[run->arena];
        unsigned fastbins = run->wants_fastbins ? heap->layout->state.fastbin_count : 0, turn = run->turn++;
        bool is_bins_side = run->marks ? arena->are_bins_marked : run->measures_bins;
        unsigned first = is_bins_side ? 2 : GLIBC_UNSORTED, bins = run->marks && arena->are_links_noted ? 0
                                                                   : is_bins_side ? GLIBC_BIN_COUNT - 2
                                                                                  : 1;
        ret->owner = (uint32_t)run->arena;
        if (turn < fastbins) {
            list_set_fastbin(heap, arena, turn, ret);
            return true;
        }
        if (turn - fastbins < bins) {
            list_set_bin(heap, arena, first + (turn - fastbins), ret);
            return true;
        }
        run->arena++;
        run->turn = 0;
    }
    return false;
}

static bool load_tcache(struct glibc_heap *heap, struct list_run *run)
{
    uint64_t address = heap->tcaches.rows[run->tcache].address;
    bool is_read = address != 0 && target_read_exact(heap->target, address, run->tcache_data,
                                                     (size_t)heap->layout->tcache.size) == STATUS_OK;
    heap->is_part_unread |= address != 0 && !is_read;
    return is_read;
}

static bool next_tcache_list(struct glibc_heap *heap, struct list_run *run, struct list_cursor *ret)
{
    unsigned word = heap->layout->word_bytes;
    while (run->tcache < run->tcache_end) {
        if ((run->tcache_bin == 0 && !load_tcache(heap, run)) ||
            run->tcache_bin >= heap->layout->tcache.bins) {
            run->tcache++;
            run->tcache_bin = 0;
            continue;
        }
        unsigned bin = run->tcache_bin++;
        uint64_t user = heap_word(heap, run->tcache_data + heap->layout->tcache.entries + bin * word);
        if (user == 0)
            continue;
        ret->kind = LIST_TCACHE;
        ret->owner = (uint32_t)run->tcache;
        ret->bin = bin;
        ret->chunk = user - 2u * word;
        ret->steps_max = TCACHE_LIST_MAX;
        return true;
    }
    return false;
}

static bool next_list(struct list_engine *engine, struct list_cursor *ret)
{
    return next_arena_list(engine->heap, engine->context, ret) ||
           next_tcache_list(engine->heap, engine->context, ret);
}

/* Follow one side of one arena for at most @nodes members: STATUS_OK where it ended. */
static enum status measure(struct glibc_heap *heap, size_t arena, bool bins, uint64_t nodes,
                           struct error *err)
{
    struct list_run run = {.arena = arena, .arena_end = arena + 1, .measures_bins = bins};
    struct list_engine engine = {.heap = heap,
                                 .context = &run,
                                 .next_list = next_list,
                                 .take = take,
                                 .broken = broken,
                                 .nodes_max = nodes};
    return list_engine_run(&engine, err);
}

static enum status choose_side(struct glibc_heap *heap, size_t arena, bool may_note, struct error *err)
{
    uint64_t most = max_u64(SIDE_NODES_FIRST, heap->arenas[arena].system_bytes / SIDE_NODE_BYTES);
    for (uint64_t nodes = SIDE_NODES_FIRST; !may_note || nodes <= most; nodes *= 4)
        for (int bins = 0; bins < 2; bins++) {
            enum status status = measure(heap, arena, bins, nodes, err);
            heap->arenas[arena].are_bins_marked = bins;
            if (status != STATUS_STOPPED)
                return status;
        }
    heap->arenas[arena].are_bins_marked = false;
    heap->arenas[arena].are_links_noted = true;
    return heap->links.rows ? STATUS_OK : links_begin(heap, err);
}

enum status lists_choose_sides(struct glibc_heap *heap, bool may_note, struct error *err)
{
    enum status status = STATUS_OK;
    may_note = may_note && links_are_possible(heap);
    for (size_t i = 0; status == STATUS_OK && i < heap->arena_count; i++)
        if (!heap->arenas[i].is_top_initial)
            status = choose_side(heap, i, may_note, err);
    return status;
}

enum status lists_mark(struct glibc_heap *heap, struct marks *marks, struct error *err)
{
    bool is_first = !marks->is_counted;
    if (!is_first && (!marks_has_any(marks) || marks_refill(marks)))
        return STATUS_OK;
    scoped_reserved uint8_t *tcache_data = reserve_calloc(1, (size_t)heap->layout->tcache.size + 8);
    if (!tcache_data)
        return error_set(err, STATUS_NO_MEMORY, "no memory to follow lists");
    struct list_run run = {.marks = marks,
                           .is_first = is_first,
                           .arena_end = heap->arena_count,
                           .wants_fastbins = true,
                           .tcache_end = heap->tcaches.count,
                           .tcache_data = tcache_data};
    struct list_engine engine = {
        .heap = heap, .context = &run, .next_list = next_list, .take = take, .broken = broken};
    enum status status = list_engine_run(&engine, err);
    if (status == STATUS_OK)
        marks->is_counted = true;
    return status;
}

/* lists_follow_bin: one list, its members summed up. */
struct bin_run {
    const struct glibc_arena *arena;
    unsigned bin;
    bool is_begun, is_broken;
    struct bin_sums sums;
};

static bool next_single(struct list_engine *engine, struct list_cursor *ret)
{
    struct bin_run *run = engine->context;
    if (run->is_begun)
        return false;
    run->is_begun = true;
    list_set_bin(engine->heap, run->arena, run->bin, ret);
    return true;
}

static bool take_single(struct list_engine *engine, struct list_cursor *cursor)
{
    struct bin_run *run = engine->context;
    unsigned word = engine->heap->layout->word_bytes;
    if (heap_word(engine->heap, cursor->node + 3u * word) != cursor->previous)
        return false;
    bin_sums_count(&run->sums, heap_word(engine->heap, cursor->node + word) & ~(uint64_t)CHUNK_FLAGS);
    run->sums.address_sum += cursor->chunk;
    run->sums.fd_sum += heap_word(engine->heap, cursor->node + 2u * word);
    run->sums.bk_sum += cursor->previous;
    cursor->previous = cursor->chunk;
    cursor->chunk = list_next(engine->heap, cursor);
    return true;
}

static void broken_single(struct list_engine *engine, const struct list_cursor *cursor)
{
    struct bin_run *run = engine->context;
    (void)cursor;
    run->is_broken = true;
}

bool lists_follow_bin(struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                      struct bin_sums *ret)
{
    struct bin_run run = {.arena = arena, .bin = bin};
    struct list_engine engine = {.heap = heap,
                                 .context = &run,
                                 .next_list = next_single,
                                 .take = take_single,
                                 .broken = broken_single};
    if (list_engine_run(&engine, NULL) != STATUS_OK || run.is_broken)
        return false;
    *ret = run.sums;
    return true;
}
