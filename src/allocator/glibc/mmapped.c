/* mmapped.c - see mmapped.h. */
#include "allocator/glibc/mmapped.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"

#define HEADER_MAX 16u
/* user addresses that memalign can give inside the first page are base + a power of two up to this */
#define LEAD_MAX 2048u

/* What a header says where it is that of an mmapped chunk: false where it cannot be one. */
static bool decode(const struct glibc_heap *heap, uint64_t header_addr, uint64_t prev_size, uint64_t field,
                   uint64_t *base, uint64_t *total)
{
    const struct glibc_layout *layout = heap->layout;
    uint64_t page = heap->target->page_bytes, size = field & ~(uint64_t)CHUNK_FLAGS;
    if ((field & CHUNK_FLAGS) != CHUNK_IS_MMAPPED)
        return false;
    if (layout->mmapped_size_less_header) {
        prev_size &= ~UINT64_C(1); /* bit 0: huge pages, since 2.43 */
        if (!checked_add(size, heap_header_bytes(heap), &size))
            return false;
    }
    if (prev_size > header_addr || !checked_add(size, prev_size, total))
        return false;
    *base = header_addr - prev_size;
    return is_aligned(*base, page) && is_aligned(*total, page) && *total >= page && size >= layout->min_size;
}

static bool decode_at(const struct glibc_heap *heap, uint64_t header_addr, uint64_t *base, uint64_t *total)
{
    uint8_t header[HEADER_MAX];
    unsigned word = heap->layout->word_bytes;
    return target_read_exact(heap->target, header_addr, header, 2u * word) == STATUS_OK &&
           decode(heap, header_addr, heap_word(heap, header), heap_word(heap, header + word), base, total);
}

/* The chunk at @header_addr, if it says the same mapping. */
static void prefer(const struct glibc_heap *heap, uint64_t header_addr, uint64_t base, uint64_t total,
                   uint64_t *best)
{
    uint64_t found_base, found_total;
    if (header_addr > *best && header_addr < base + total &&
        decode_at(heap, header_addr, &found_base, &found_total) && found_base == base && found_total == total)
        *best = header_addr;
}

/*
 * memalign moves the header up and leaves the first one stale: of all that say the same mapping the highest
 * is real. Its user address is the first multiple of the alignment that leaves room for a chunk before it.
 */
static uint64_t real_header(const struct glibc_heap *heap, uint64_t first, uint64_t base, uint64_t total)
{
    uint64_t header = heap_header_bytes(heap), best = first;
    for (uint64_t lead = 32; lead <= LEAD_MAX; lead *= 2)
        prefer(heap, base + lead - header, base, total, &best);
    for (uint64_t alignment = heap->target->page_bytes; alignment <= total; alignment *= 2) {
        uint64_t user = align_up(base + header, alignment);
        prefer(heap, user - header, base, total, &best);
        prefer(heap, user + alignment - header, base, total, &best);
    }
    return best;
}

/* Where a chunk's first header lies in its mapping: its user address is aligned. */
static uint64_t first_header(const struct glibc_heap *heap, uint64_t base)
{
    uint64_t header = heap_header_bytes(heap);
    return align_up(base + header, heap->layout->alignment) - header;
}

static bool is_complete(const struct mmapped_search *search)
{
    return search->found.chunks == search->wanted_chunks && search->found.bytes == search->wanted_bytes;
}

static void take(struct mmapped_search *search, uint64_t base, uint64_t total)
{
    struct glibc_heap *heap = search->heap;
    struct chunk chunk = {
        .address = real_header(heap, first_header(heap, base), base, total),
        .size = total,
        .arena = CHUNK_NO_ARENA,
        .state = CHUNK_MMAPPED,
        .header_bytes = (uint8_t)heap_header_bytes(heap),
    };
    search->found.chunks++;
    search->found.bytes += total;
    search->emit(search->context, &chunk);
}

/*
 * Headers of the next pages in one batch, from @at on; the batch doubles while nothing is found. Returns
 * where to go on.
 */
static uint64_t try_pages(struct mmapped_search *search, uint64_t at, uint64_t end, size_t batch)
{
    struct glibc_heap *heap = search->heap;
    struct target_part parts[MMAPPED_BATCH];
    uint8_t headers[MMAPPED_BATCH][HEADER_MAX];
    uint64_t page = heap->target->page_bytes, next = at;
    unsigned word = heap->layout->word_bytes;
    size_t count = 0;
    for (size_t tried = 0; count < batch && next < end && tried < 65536; next += page, tried++) {
        enum page_state state = page_view_state(heap->pages, next);
        if (state == PAGE_ABSENT || (state == PAGE_SWAPPED && !heap->read_swapped))
            continue;
        parts[count] = (struct target_part){
            .address = first_header(heap, next), .data = headers[count], .length = 2u * word};
        count++;
    }
    target_read_parts(heap->target, parts, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t base, total, address = parts[i].address;
        search->is_unread |= !parts[i].is_read;
        if (parts[i].is_read &&
            decode(heap, address, heap_word(heap, headers[i]), heap_word(heap, headers[i] + word), &base,
                   &total) &&
            base == align_down(address, page) && total <= end - base) {
            take(search, base, total);
            return base + total;
        }
    }
    return next;
}

static void search_range(struct mmapped_search *search, uint64_t from, uint64_t end)
{
    size_t batch = 1;
    for (uint64_t at = from; at < end && !is_complete(search);) {
        uint64_t found_before = search->found.chunks;
        at = try_pages(search, at, end, batch);
        batch = search->found.chunks > found_before ? 1
                : batch * 4 < MMAPPED_BATCH         ? batch * 4
                                                    : MMAPPED_BATCH;
        if (clock_monotonic_ns() > search->heap->deadline_ns)
            return;
    }
}

static bool may_hold_chunks(const struct mapping *mapping)
{
    return mapping_is_anonymous(mapping) && mapping->is_readable && mapping->is_writable &&
           strncmp(mapping->name, "[stack", 6) != 0 && strcmp(mapping->name, "[heap]") != 0;
}

void mmapped_find(struct mmapped_search *search, uint64_t from, uint64_t to)
{
    const struct maps *maps = search->heap->maps;
    for (size_t i = 0; i < maps->count && !is_complete(search); i++) {
        if (!may_hold_chunks(&maps->rows[i]) || maps->rows[i].end <= from || maps->rows[i].start >= to)
            continue;
        uint64_t start = max_u64(maps->rows[i].start, from), end = maps->rows[i].end;
        while (i + 1 < maps->count && maps->rows[i + 1].start == end && may_hold_chunks(&maps->rows[i + 1]))
            end = maps->rows[++i].end;
        search_range(search, align_up(start, search->heap->target->page_bytes), min_u64(end, to));
    }
}
