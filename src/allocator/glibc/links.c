/* links.c - see links.h. */
#include "allocator/glibc/links.h"

#include <string.h>

#include "allocator/glibc/link_chains.h"
#include "base/checked.h"
#include "base/reserve.h"

static unsigned unit_shift(const struct glibc_heap *heap)
{
    return (unsigned)__builtin_ctz(heap->layout->alignment);
}

bool links_are_possible(const struct glibc_heap *heap)
{
    if (heap->segment_count == 0)
        return false;
    const struct glibc_segment *last = &heap->segments[heap->segment_count - 1];
    return (last->virtual_start + last->virtual_bytes) >> unit_shift(heap) < LINK_NOWHERE;
}

enum status links_init(struct links *links, struct error *err)
{
    void *rows = reserve_map(LINKS_BYTES_MAX, true); /* chains lead through it in random order */
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the links of free chunks");
    *links = (struct links){.rows = rows, .room = LINKS_BYTES_MAX / sizeof(struct link)};
    return STATUS_OK;
}

void links_deinit(struct links *links)
{
    reserve_unmap(links->rows, LINKS_BYTES_MAX);
    *links = (struct links){0};
}

enum status links_begin(struct glibc_heap *heap, struct error *err)
{
    return links_init(&heap->links, err);
}

void links_end(struct glibc_heap *heap)
{
    links_deinit(&heap->links);
}

void links_append(struct links *links, const struct links *part, size_t first, size_t count)
{
    if (count > links->room - links->count) {
        links->is_full = true;
        return;
    }
    memcpy(links->rows + links->count, part->rows + first, count * sizeof *part->rows);
    links->count += count;
}

static uint32_t place_in(const struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address)
{
    return (uint32_t)((segment->virtual_start + (address - segment->start)) >> unit_shift(heap));
}

static uint64_t address_of(const struct glibc_heap *heap, const struct glibc_segment *segment, uint32_t place)
{
    return segment->start + (((uint64_t)place << unit_shift(heap)) - segment->virtual_start);
}

static bool has_place(const struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address)
{
    return address >= segment->start && address - segment->start < segment->virtual_bytes &&
           is_aligned(address - segment->start, heap->layout->alignment);
}

void links_note(struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address, uint64_t size,
                uint64_t fd)
{
    struct links *links = &heap->links;
    uint64_t units = size >> unit_shift(heap);
    if (links->count == links->room || units > UINT32_MAX || !has_place(heap, segment, address)) {
        links->is_full = true;
        return;
    }
    /* the room behind a segment's end is its own only as far as no other segment lies there */
    bool is_inside = fd >= segment->start && fd < segment->end;
    const struct glibc_segment *other = is_inside ? segment : heap_find_segment(heap, fd);
    uint32_t next = LINK_NOWHERE;
    if (!other)
        other = segment;
    if (has_place(heap, other, fd))
        next = place_in(heap, other, fd);
    else if (fd == heap_bin_head(heap, &heap->arenas[segment->arena], GLIBC_UNSORTED))
        next = LINK_HEAD;
    links->rows[links->count++] =
        (struct link){.place = place_in(heap, segment, address), .next = next, .size = (uint32_t)units};
}

static void note_broken(struct glibc_heap *heap, const struct glibc_arena *arena, uint64_t address)
{
    if (heap->is_held)
        heap_note_corrupt(heap, NOTE_BAD_LINK, address, arena->index);
    else
        completeness_note(&heap->completeness, NOTE_BAD_LINK, address, arena->index);
}

/* The row of the first chunk of @arena's unsorted list, or UINT32_MAX. */
static uint32_t first_row(const struct glibc_heap *heap, const struct link_chains *chains,
                          const struct glibc_arena *arena)
{
    uint64_t first = heap_bin_first(heap, arena, GLIBC_UNSORTED);
    const struct glibc_segment *segment = heap_find_segment(heap, first);
    if (!segment || !has_place(heap, segment, first))
        return UINT32_MAX;
    return link_chains_find(chains, place_in(heap, segment, first));
}

/* Tell the chains of @arena's unsorted list. */
static void tell_unsorted(struct glibc_heap *heap, struct link_chains *chains,
                          const struct glibc_arena *arena)
{
    uint64_t first = heap_bin_first(heap, arena, GLIBC_UNSORTED);
    if (first == 0 || first == heap_bin_head(heap, arena, GLIBC_UNSORTED))
        return;
    uint32_t row = first_row(heap, chains, arena);
    if (row == UINT32_MAX || !link_chains_tell(chains, row))
        note_broken(heap, arena, first);
}

/* Move the sums of the free chunk of @row from its bin to unsorted. */
static void move_row(struct glibc_heap *heap, const struct glibc_segment *segment, const struct link *row,
                     struct bin_sums *bin)
{
    const struct glibc_arena *arena = &heap->arenas[segment->arena];
    struct bin_sums *unsorted = &heap->arenas[segment->arena].bins[GLIBC_UNSORTED];
    uint64_t size = (uint64_t)row->size << unit_shift(heap), at = address_of(heap, segment, row->place);
    uint64_t head = heap_bin_head(heap, arena, GLIBC_UNSORTED), next = head;
    if (row->next < LINK_NOWHERE) {
        uint64_t offset = (uint64_t)row->next << unit_shift(heap);
        if (offset - segment->virtual_start >= segment->virtual_bytes)
            segment = heap_segment_at(heap, offset);
        next = address_of(heap, segment, row->next);
    }
    bin_sums_count(unsorted, size);
    bin->tally.chunks--;
    bin->tally.bytes -= size;
    unsorted->address_sum += at;
    bin->address_sum -= at;
    unsorted->fd_sum += next;
    bin->fd_sum -= next;
}

/* The sizes in large bins must be looked through again, now that some of their chunks are in unsorted. */
static void forget_extremes(struct glibc_heap *heap)
{
    for (size_t i = 0; i < heap->arena_count; i++)
        for (unsigned bin = LAYOUT_BIN_LARGE_FIRST; heap->arenas[i].are_links_noted && bin < GLIBC_BIN_COUNT;
             bin++) {
            heap->arenas[i].bins[bin].min_bytes = UINT64_MAX;
            heap->arenas[i].bins[bin].max_bytes = 0;
        }
}

static void settle_rows(struct glibc_heap *heap, const struct link_chains *chains, struct totals *totals)
{
    size_t segment = 0;
    forget_extremes(heap);
    for (size_t i = 0; i < heap->links.count; i++) {
        const struct link *row = &heap->links.rows[i];
        while (segment + 1 < heap->segment_count &&
               (uint64_t)row->place << unit_shift(heap) >= heap->segments[segment + 1].virtual_start)
            segment++;
        struct glibc_arena *arena = &heap->arenas[heap->segments[segment].arena];
        uint64_t size = (uint64_t)row->size << unit_shift(heap);
        unsigned number = layout_bin_index(heap->layout, size);
        struct bin_sums *bin = &arena->bins[number];
        bool is_large = number >= LAYOUT_BIN_LARGE_FIRST;
        if (link_chains_is_told(chains, row)) {
            move_row(heap, &heap->segments[segment], row, bin);
            totals_move(totals, arena->index, is_large ? CHUNK_LARGE : CHUNK_SMALL, CHUNK_UNSORTED, 1, size);
        } else if (is_large) {
            bin->min_bytes = min_u64(bin->min_bytes, size);
            bin->max_bytes = max_u64(bin->max_bytes, size);
        }
    }
}

void links_settle(struct glibc_heap *heap, struct totals *totals)
{
    if (!heap->links.rows)
        return;
    struct link_chains chains;
    if (link_chains_init(&chains, &heap->links, heap->arena_count)) {
        for (size_t i = 0; i < heap->arena_count; i++) {
            uint32_t row =
                heap->arenas[i].are_links_noted ? first_row(heap, &chains, &heap->arenas[i]) : UINT32_MAX;
            if (row != UINT32_MAX)
                link_chains_begin(&chains, row);
        }
        link_chains_follow(&chains);
        for (size_t i = 0; i < heap->arena_count; i++)
            if (heap->arenas[i].are_links_noted)
                tell_unsorted(heap, &chains, &heap->arenas[i]);
        settle_rows(heap, &chains, totals);
    } else {
        heap->links.is_full = true; /* the pass is made again without them */
    }
    link_chains_deinit(&chains);
}
