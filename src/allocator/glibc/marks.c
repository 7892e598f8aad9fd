/* marks.c - see marks.h. */
#include "allocator/glibc/marks.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/checked.h"

enum status marks_init(struct marks *marks, const struct glibc_heap *heap, struct error *err)
{
    *marks = (struct marks){.heap = heap, .shift = (unsigned)__builtin_ctz(heap->layout->alignment)};
    /* 4 places a byte of map */
    marks->slice_bytes = ((uint64_t)MARKS_MAP_BYTES * 4) << marks->shift;
    uint64_t virtual_bytes = 0;
    if (heap->segment_count) {
        const struct glibc_segment *last = &heap->segments[heap->segment_count - 1];
        virtual_bytes = last->virtual_start + (last->end - last->start);
    }
    /* a main arena may grow while it is scanned: one slice to spare */
    marks->slice_count = virtual_bytes / marks->slice_bytes + 2;
    marks->slice_marks = calloc(marks->slice_count, sizeof *marks->slice_marks);
    void *map = mmap(NULL, MARKS_MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || !marks->slice_marks) {
        free(marks->slice_marks);
        marks->slice_marks = NULL;
        return error_set(err, STATUS_NO_MEMORY, "no memory for a map of the lists");
    }
    marks->map = map;
    return STATUS_OK;
}

void marks_deinit(struct marks *marks)
{
    if (marks->map)
        munmap(marks->map, MARKS_MAP_BYTES);
    free(marks->slice_marks);
    *marks = (struct marks){0};
}

void marks_begin_slice(struct marks *marks, uint64_t slice)
{
    marks->slice = slice;
    madvise(marks->map, MARKS_MAP_BYTES, MADV_DONTNEED);
}

bool marks_set(struct marks *marks, const struct glibc_segment *segment, uint64_t address, enum mark mark)
{
    if (!is_aligned(address - segment->start, marks->heap->layout->alignment))
        return false;
    uint64_t slice = marks_slice_of(marks, segment, address);
    if (slice >= marks->slice_count)
        return false;
    if (!marks->is_counted)
        marks->slice_marks[slice]++;
    if (slice != marks->slice)
        return true;
    if (marks_get(marks, segment, address) != MARK_NONE)
        return false;
    uint64_t place =
        (segment->virtual_start + (address - segment->start) - marks->slice * marks->slice_bytes) >>
        marks->shift;
    marks->map[place / 32] |= (uint64_t)mark << (place % 32 * 2);
    return true;
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
