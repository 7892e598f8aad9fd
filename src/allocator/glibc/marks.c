/* marks.c - see marks.h. */
#include "allocator/glibc/marks.h"

#include <string.h>

#include "base/checked.h"

#define PAGE_WORDS (MARKS_PAGE_BYTES / sizeof(uint64_t))
#define PLACES_A_PAGE (MARKS_PAGE_BYTES * 4u)

static void *take_map(size_t bytes, struct spare_map *spare)
{
    return bytes == MARKS_MAP_LEAST_BYTES ? spare_map_take(spare, bytes) : reserve_map(bytes, true);
}

/* A power of two: one that a heap grows out of while its stop is prepared is no more than doubled. */
static size_t map_bytes_for(uint64_t places)
{
    size_t bytes = MARKS_MAP_LEAST_BYTES;
    while (bytes < MARKS_MAP_BYTES && bytes <= places / 4)
        bytes *= 2;
    return bytes;
}

enum status marks_init(struct marks *marks, const struct glibc_heap *heap, struct spare_map *spare,
                       struct error *err)
{
    *marks = (struct marks){
        .heap = heap, .spare = spare, .shift = (unsigned)__builtin_ctz(heap->layout->alignment)};
    /* 4 places a byte of map */
    marks->slice_bytes = ((uint64_t)MARKS_MAP_BYTES * 4) << marks->shift;
    uint64_t virtual_bytes = 0;
    if (heap->segment_count) {
        const struct glibc_segment *last = &heap->segments[heap->segment_count - 1];
        virtual_bytes = last->virtual_start + last->virtual_bytes;
    }
    marks->slice_count = virtual_bytes / marks->slice_bytes + 1;
    marks->slice_marks = reserve_calloc(marks->slice_count, sizeof *marks->slice_marks);
    marks->kept = reserve_calloc(MARKS_KEPT_MAX, sizeof *marks->kept);
    marks->is_kept_whole = true;
    marks->map_bytes = map_bytes_for(virtual_bytes >> marks->shift);
    marks->map = take_map(marks->map_bytes, spare);
    if (marks->map && marks->slice_marks && marks->kept)
        return STATUS_OK;
    marks_deinit(marks);
    return error_set(err, STATUS_NO_MEMORY, "no memory for a map of the lists");
}

static void clear_map(struct marks *marks)
{
    for (size_t i = 0; i < sizeof marks->marked_pages / sizeof *marks->marked_pages; i++) {
        for (uint64_t left = marks->marked_pages[i]; left; left &= left - 1)
            memset(marks->map + (i * 64 + (unsigned)__builtin_ctzll(left)) * PAGE_WORDS, 0, MARKS_PAGE_BYTES);
        marks->marked_pages[i] = 0;
    }
}

void marks_deinit(struct marks *marks)
{
    reserve_free(marks->kept);
    reserve_free(marks->slice_marks);
    if (marks->map_bytes == MARKS_MAP_LEAST_BYTES && marks->map) {
        clear_map(marks);
        spare_map_give(marks->spare, marks->map, marks->map_bytes);
    } else {
        reserve_unmap(marks->map, marks->map_bytes);
    }
    *marks = (struct marks){0};
}

void marks_serve(struct marks *marks, const struct marks *whole)
{
    const struct marks map = *marks;
    *marks = *whole;
    marks->map = map.map;
    memcpy(marks->marked_pages, map.marked_pages, sizeof marks->marked_pages);
    marks->whole = whole;
}

void marks_begin_slice(struct marks *marks, uint64_t slice)
{
    marks->slice = slice;
    clear_map(marks);
}

/* Set the mark of the place at @place of the slice held, which has none. */
static void put(struct marks *marks, uint64_t place, uint64_t mark)
{
    uint64_t page = place / PLACES_A_PAGE;
    marks->map[place / 32] |= mark << (place % 32 * 2);
    marks->marked_pages[page / 64] |= UINT64_C(1) << page % 64;
}

static bool is_page_marked(const struct marks *marks, uint64_t place)
{
    uint64_t page = place / PLACES_A_PAGE;
    return marks->marked_pages[page / 64] >> page % 64 & 1;
}

static uint64_t places_a_slice(const struct marks *marks)
{
    return marks->slice_bytes >> marks->shift;
}

static void keep(struct marks *marks, uint64_t place, enum mark mark)
{
    if (marks->kept_count == MARKS_KEPT_MAX)
        marks->is_kept_whole = false;
    else
        marks->kept[marks->kept_count++] = place * 4 + mark;
}

bool marks_set(struct marks *marks, const struct glibc_segment *segment, uint64_t address, enum mark mark)
{
    if (!is_aligned(address - segment->start, marks->heap->layout->alignment) ||
        address >= marks_segment_end(segment))
        return false;
    uint64_t place = (segment->virtual_start + (address - segment->start)) >> marks->shift;
    uint64_t slice = place / places_a_slice(marks);
    if (!marks->is_counted) {
        marks->slice_marks[slice]++;
        keep(marks, place, mark);
    }
    if (slice != marks->slice)
        return true;
    if (marks_get(marks, segment, address) != MARK_NONE)
        return false;
    put(marks, place - slice * places_a_slice(marks), mark);
    return true;
}

bool marks_refill(struct marks *marks)
{
    if (!marks->is_counted || !marks->is_kept_whole)
        return false;
    uint64_t first = marks->slice * places_a_slice(marks);
    for (size_t i = 0; i < marks->kept_count; i++) {
        uint64_t place = marks->kept[i] / 4 - first;
        if (place < places_a_slice(marks))
            put(marks, place, marks->kept[i] & 3);
    }
    return true;
}

bool marks_has_any(const struct marks *marks)
{
    return marks->slice < marks->slice_count && marks->slice_marks[marks->slice] != 0;
}

bool marks_may_be_in(const struct marks *marks, const struct glibc_segment *segment, uint64_t from,
                     uint64_t to)
{
    /* in the joined address space */
    uint64_t first = marks->slice * marks->slice_bytes, start = segment->virtual_start;
    uint64_t begin = max_u64(start + (from - segment->start), first);
    uint64_t end = min_u64(start + (min_u64(to, marks_segment_end(segment)) - segment->start),
                           first + marks->slice_bytes);
    uint64_t page_bytes = (uint64_t)PLACES_A_PAGE << marks->shift;
    if (begin >= end)
        return false;
    for (uint64_t at = align_down(begin - first, page_bytes); at < end - first; at += page_bytes)
        if (is_page_marked(marks, at >> marks->shift))
            return true;
    return false;
}

uint64_t marks_next(const struct marks *marks, const struct glibc_segment *segment, uint64_t from,
                    uint64_t to)
{
    uint64_t end = min_u64(to, marks_slice_end(marks, segment, from));
    uint64_t step = UINT64_C(1) << marks->shift;
    from = segment->start + align_up(from - segment->start, step);
    while (from < end) {
        uint64_t place = marks_place_of(marks, segment, from);
        if (!is_page_marked(marks, place)) {
            from += (PLACES_A_PAGE - place % PLACES_A_PAGE) << marks->shift;
            continue;
        }
        uint64_t word = marks->map[place / 32] >> (place % 32 * 2);
        if (word) {
            uint64_t found = from + ((uint64_t)__builtin_ctzll(word) / 2 << marks->shift);
            return found < end ? found : 0;
        }
        from += (32 - place % 32) << marks->shift;
    }
    return 0;
}
