/* marks.c - see marks.h. */
#include "allocator/glibc/marks.h"

#include <string.h>

#include "base/checked.h"
#include "base/reserve.h"

#define MAP_WORDS (MARKS_MAP_BYTES / sizeof(uint64_t))

enum status marks_init(struct marks *marks, const struct glibc_heap *heap, struct error *err)
{
    *marks = (struct marks){.heap = heap, .shift = (unsigned)__builtin_ctz(heap->layout->alignment)};
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
    marks->map = reserve_map(MARKS_MAP_BYTES, false);
    marks->words_from = MAP_WORDS;
    if (marks->map && marks->slice_marks && marks->kept) {
        /* the walk reads all of it, most of it never written */
        uint64_t used_bytes = (virtual_bytes >> marks->shift) / 4;
        reserve_bring_in(marks->map, (size_t)min_u64(used_bytes + 1, MARKS_MAP_BYTES), false);
        return STATUS_OK;
    }
    marks_deinit(marks);
    return error_set(err, STATUS_NO_MEMORY, "no memory for a map of the lists");
}

void marks_deinit(struct marks *marks)
{
    reserve_free(marks->kept);
    reserve_free(marks->slice_marks);
    reserve_unmap(marks->map, MARKS_MAP_BYTES);
    *marks = (struct marks){0};
}

void marks_serve(struct marks *marks, const struct marks *whole)
{
    const struct marks map = *marks;
    *marks = *whole;
    marks->map = map.map;
    marks->words_from = map.words_from;
    marks->words_end = map.words_end;
    marks->whole = whole;
}

void marks_begin_slice(struct marks *marks, uint64_t slice)
{
    marks->slice = slice;
    if (marks->words_from < marks->words_end)
        memset(marks->map + marks->words_from, 0,
               (marks->words_end - marks->words_from) * sizeof *marks->map);
    marks->words_from = MAP_WORDS;
    marks->words_end = 0;
}

/* Set the mark of the place at @place of the slice held, which has none. */
static void put(struct marks *marks, uint64_t place, uint64_t mark)
{
    uint64_t word = place / 32;
    marks->map[word] |= mark << (place % 32 * 2);
    marks->words_from = min_u64(marks->words_from, word);
    marks->words_end = max_u64(marks->words_end, word + 1);
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

uint64_t marks_next(const struct marks *marks, const struct glibc_segment *segment, uint64_t from,
                    uint64_t to)
{
    uint64_t end = min_u64(to, marks_slice_end(marks, segment, from));
    uint64_t step = UINT64_C(1) << marks->shift;
    from = segment->start + align_up(from - segment->start, step);
    while (from < end) {
        uint64_t place =
            (segment->virtual_start + (from - segment->start) - marks->slice * marks->slice_bytes) >>
            marks->shift;
        uint64_t word = marks->map[place / 32] >> (place % 32 * 2);
        if (word) {
            uint64_t found = from + ((uint64_t)__builtin_ctzll(word) / 2 << marks->shift);
            return found < end ? found : 0;
        }
        from += (32 - place % 32) << marks->shift;
    }
    return 0;
}
