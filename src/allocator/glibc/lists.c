/* lists.c - see lists.h. */
#include "allocator/glibc/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define CURSORS_MAX 256u
#define NODE_WORDS 4u
#define TCACHE_LIST_MAX 65536u

enum list_kind { LIST_TCACHE, LIST_FASTBIN, LIST_UNSORTED };

/* Where one list stands. Brent's tortoise notices a list that never ends within twice its length. */
struct cursor {
    enum list_kind kind;
    uint32_t owner; /* row of heap->arenas, or of heap->tcaches */
    uint32_t bin;
    uint64_t chunk; /* the next member; the head or 0 ends the list */
    uint64_t previous;
    uint64_t head;
    uint64_t tortoise;
    uint64_t steps, power, steps_max;
    uint8_t node[NODE_WORDS * 8];
};

/* Which list begins next: the fastbins and unsorted list of each arena, then each tcache's bins. */
struct list_source {
    size_t arena;
    unsigned arena_bin; /* 0 unsorted, then the fastbins */
    size_t tcache;
    unsigned tcache_bin;
    uint8_t *tcache_data; /* of the tcache that is at its turn */
};

static bool is_mangled(const struct glibc_heap *heap)
{
    return heap->layout->tcache.is_mangled;
}

/* Safe-linking (since 2.32): the link field holds the pointer xor its own address >> 12. */
static uint64_t demangle(const struct glibc_heap *heap, uint64_t link_addr, uint64_t stored)
{
    return is_mangled(heap) ? (link_addr >> 12) ^ stored : stored;
}

static uint64_t tcache_bin_size(const struct glibc_heap *heap, unsigned bin)
{
    return heap->layout->min_size + (uint64_t)bin * heap->layout->alignment;
}

static void note_broken(struct glibc_heap *heap, const struct cursor *cursor, bool is_first)
{
    uint32_t arena = cursor->kind == LIST_TCACHE ? UINT32_MAX : heap->arenas[cursor->owner].index;
    if (!is_first)
        return;
    if (cursor->kind == LIST_TCACHE)
        heap->tcache_numbers[cursor->owner].is_valid = 0;
    if (heap->is_held)
        heap_note_corrupt(heap, NOTE_BAD_LINK, cursor->chunk, arena);
    else
        completeness_note(&heap->completeness, NOTE_BAD_LINK, cursor->chunk, arena);
}

static void add_to_sums(struct bin_sums *sums, uint64_t size)
{
    sums->min_bytes = sums->tally.chunks ? min_u64(sums->min_bytes, size) : size;
    sums->max_bytes = max_u64(sums->max_bytes, size);
    sums->tally.chunks++;
    sums->tally.bytes += size;
}

/* One member that was read: check it against its list, count it, go on to the next. False: broken. */
static bool take_node(struct glibc_heap *heap, struct marks *marks, struct cursor *cursor, bool is_first)
{
    unsigned word = heap->layout->word_bytes;
    uint64_t size = heap_word(heap, cursor->node + word) & ~(uint64_t)CHUNK_FLAGS;
    uint64_t link_addr = cursor->chunk + 2u * word;
    uint64_t stored = heap_word(heap, cursor->node + 2u * word);
    const struct glibc_segment *segment = heap_find_segment(heap, cursor->chunk);
    enum mark mark = MARK_UNSORTED;
    uint64_t next = stored;
    bool is_mmapped = (heap_word(heap, cursor->node + word) & CHUNK_IS_MMAPPED) != 0;
    if (cursor->kind == LIST_UNSORTED) {
        if (heap_word(heap, cursor->node + 3u * word) != cursor->previous)
            return false;
    } else {
        next = demangle(heap, link_addr, stored);
        mark = cursor->kind == LIST_TCACHE ? MARK_TCACHE : MARK_FASTBIN;
        uint64_t wanted = tcache_bin_size(heap, cursor->bin);
        if (cursor->kind == LIST_FASTBIN || cursor->bin < 64) {
            if (size != wanted && !is_mmapped)
                return false;
        }
        if (cursor->kind == LIST_TCACHE && next != 0)
            next -= 2u * word;
    }
    if (size < heap->layout->min_size || (!segment && !(is_mmapped && cursor->kind == LIST_TCACHE)))
        return false;
    if (segment && cursor->kind != LIST_TCACHE && segment->arena != cursor->owner)
        return false;
    if (segment && !marks_set(marks, segment, cursor->chunk, mark))
        return false;
    if (is_first) {
        if (cursor->kind == LIST_TCACHE) {
            heap->tcache_numbers[cursor->owner].tally.chunks++;
            heap->tcache_numbers[cursor->owner].tally.bytes += size;
        } else if (cursor->kind == LIST_FASTBIN) {
            add_to_sums(&heap->arenas[cursor->owner].fast[cursor->bin], size);
        } else {
            heap->arenas[cursor->owner].listed_unsorted.chunks++;
            heap->arenas[cursor->owner].listed_unsorted.bytes += size;
        }
    }
    cursor->previous = cursor->chunk;
    cursor->chunk = next;
    return true;
}

static bool is_at_end(const struct cursor *cursor)
{
    return cursor->chunk == cursor->head;
}

/* Guard against lists that lead nowhere or round and round. */
static bool may_step(const struct glibc_heap *heap, struct cursor *cursor)
{
    if (!is_aligned(cursor->chunk + heap_header_bytes(heap), heap->layout->alignment))
        return false;
    if (cursor->chunk == cursor->tortoise || cursor->steps >= cursor->steps_max)
        return false;
    if (++cursor->steps == cursor->power) {
        cursor->tortoise = cursor->chunk;
        cursor->power *= 2;
    }
    return true;
}

static bool next_arena_list(const struct glibc_heap *heap, struct list_source *source, struct cursor *ret)
{
    while (source->arena < heap->arena_count) {
        const struct glibc_arena *arena = &heap->arenas[source->arena];
        unsigned turn = source->arena_bin++;
        uint64_t most = arena->system_bytes / heap->layout->min_size + 1;
        if (turn > heap->layout->state.fastbin_count) {
            source->arena++;
            source->arena_bin = 0;
            continue;
        }
        *ret = (struct cursor){.owner = (uint32_t)source->arena, .steps_max = most, .power = 1};
        if (turn == 0) {
            ret->kind = LIST_UNSORTED;
            ret->head = ret->previous = heap_bin_head(heap, arena, GLIBC_UNSORTED);
            ret->chunk = heap_bin_first(heap, arena, GLIBC_UNSORTED);
            if (ret->chunk == 0)
                continue;
        } else {
            ret->kind = LIST_FASTBIN;
            ret->bin = turn - 1;
            ret->chunk = arena->fastbins[ret->bin];
        }
        if (!is_at_end(ret))
            return true;
    }
    return false;
}

/* Load the tcache struct that is at its turn; false: it cannot be read. */
static bool load_tcache(struct glibc_heap *heap, struct list_source *source)
{
    uint64_t address = heap->tcaches.rows[source->tcache].address;
    return address != 0 && target_read_exact(heap->target, address, source->tcache_data,
                                             (size_t)heap->layout->tcache.size) == STATUS_OK;
}

static bool next_tcache_list(struct glibc_heap *heap, struct list_source *source, struct cursor *ret)
{
    unsigned word = heap->layout->word_bytes;
    while (source->tcache < heap->tcaches.count) {
        if (source->tcache_bin == 0 && !load_tcache(heap, source)) {
            source->tcache++;
            continue;
        }
        unsigned bin = source->tcache_bin++;
        if (bin >= heap->layout->tcache.bins) {
            source->tcache++;
            source->tcache_bin = 0;
            continue;
        }
        uint64_t user = heap_word(heap, source->tcache_data + heap->layout->tcache.entries + bin * word);
        if (user == 0)
            continue;
        *ret = (struct cursor){.kind = LIST_TCACHE,
                               .owner = (uint32_t)source->tcache,
                               .bin = bin,
                               .chunk = user - 2u * word,
                               .steps_max = TCACHE_LIST_MAX,
                               .power = 1};
        return true;
    }
    return false;
}

static size_t refill(struct glibc_heap *heap, struct list_source *source, struct cursor *cursors,
                     size_t count)
{
    while (count < CURSORS_MAX && (next_arena_list(heap, source, &cursors[count]) ||
                                   next_tcache_list(heap, source, &cursors[count])))
        count++;
    return count;
}

/* Read the next node of every cursor in one batch and take them; cursors at their end fall out. */
static size_t step_all(struct glibc_heap *heap, struct marks *marks, struct cursor *cursors,
                       struct target_part *parts, size_t count, bool is_first)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!may_step(heap, &cursors[i])) {
            note_broken(heap, &cursors[i], is_first);
            continue;
        }
        cursors[kept++] = cursors[i];
    }
    for (size_t i = 0; i < kept; i++)
        parts[i] = (struct target_part){.address = cursors[i].chunk,
                                        .data = cursors[i].node,
                                        .length = NODE_WORDS * heap->layout->word_bytes};
    target_read_parts(heap->target, parts, kept);
    size_t left = 0;
    for (size_t i = 0; i < kept; i++) {
        if (!parts[i].is_read || !take_node(heap, marks, &cursors[i], is_first))
            note_broken(heap, &cursors[i], is_first);
        else if (!is_at_end(&cursors[i]))
            cursors[left++] = cursors[i];
    }
    return left;
}

enum status lists_mark(struct glibc_heap *heap, struct marks *marks, struct error *err)
{
    bool is_first = !marks->is_counted;
    if (!is_first && marks->slice_marks[marks->slice] == 0)
        return STATUS_OK;
    scoped_free struct cursor *cursors = malloc(CURSORS_MAX * sizeof *cursors);
    scoped_free struct target_part *parts = malloc(CURSORS_MAX * sizeof *parts);
    scoped_free uint8_t *tcache_data = malloc((size_t)heap->layout->tcache.size + 8);
    if (!cursors || !parts || !tcache_data)
        return error_set(err, STATUS_NO_MEMORY, "no memory to follow lists");
    struct list_source source = {.tcache_data = tcache_data};
    size_t count = 0;
    uint64_t rounds = 0;
    while ((count = refill(heap, &source, cursors, count)) > 0) {
        count = step_all(heap, marks, cursors, parts, count, is_first);
        if ((++rounds & 63) == 0 && clock_monotonic_ns() > heap->deadline_ns)
            return error_set(err, STATUS_TIMEOUT, "the time for the scan ran out while following lists");
    }
    marks->is_counted = true;
    return STATUS_OK;
}

bool lists_follow_bin(struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                      struct bin_sums *ret)
{
    unsigned word = heap->layout->word_bytes;
    uint64_t head = heap_bin_head(heap, arena, bin), most = arena->system_bytes / heap->layout->min_size;
    uint64_t previous = head, chunk = heap_bin_first(heap, arena, bin);
    memset(ret, 0, sizeof *ret);
    while (chunk != head) {
        uint8_t node[NODE_WORDS * 8];
        if (ret->tally.chunks > most || clock_monotonic_ns() > heap->deadline_ns ||
            target_read_exact(heap->target, chunk, node, NODE_WORDS * word) != STATUS_OK ||
            heap_word(heap, node + 3u * word) != previous)
            return false;
        add_to_sums(ret, heap_word(heap, node + word) & ~(uint64_t)CHUNK_FLAGS);
        ret->address_sum += chunk;
        previous = chunk;
        chunk = heap_word(heap, node + 2u * word);
    }
    return previous == heap_bin_last(heap, arena, bin);
}
