/* segments.c - see segments.h. */
#include "allocator/glibc/segments.h"

#include <string.h>
#include <time.h>

#include "allocator/glibc/arena.h"
#include "allocator/glibc/runs.h"
#include "base/array.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/sort.h"

#define LIVE_TRIES 10u
/* most unread bytes that a book can claim: sums of them must not wrap */
#define LOST_MAX (UINT64_C(1) << 47)
/* Smallest memory that a sub-heap can have; bounds the chain of heaps by the arena's own book. */
#define HEAP_SMALLEST 4096u
/* what a live segment may grow by, beyond a quarter of it, until its lists are followed, and be marked */
#define ROOM_LEAST (UINT64_C(16) << 20)
#define ROOM_ALIGNMENT 4096u

uint64_t segments_first_chunk(const struct glibc_heap *heap, uint64_t base)
{
    uint64_t header = heap_header_bytes(heap);
    return align_up(base + header, heap->layout->alignment) - header;
}

enum status segments_append(struct glibc_heap *heap, const struct glibc_segment *segment, struct error *err)
{
    if (!array_room(&heap->segments, heap->segment_count, &heap->segment_capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for more than %zu segments", heap->segment_count);
    heap->segments[heap->segment_count++] = *segment;
    return STATUS_OK;
}

static int by_address(const void *left, const void *right)
{
    const struct glibc_segment *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void sort_segments(struct glibc_heap *heap)
{
    sort_rows(heap->segments, heap->segment_count, sizeof *heap->segments, by_address);
}

/* Give each segment its room in the marks' address space. */
static void number_segments(struct glibc_heap *heap)
{
    uint64_t offset = 0;
    for (size_t i = 0; i < heap->segment_count; i++) {
        struct glibc_segment *segment = &heap->segments[i];
        segment->virtual_start = offset;
        segment->virtual_bytes = align_up(segment->end - segment->start, ROOM_ALIGNMENT);
        uint64_t room = segment->virtual_bytes / 4 + ROOM_LEAST;
        if (segment->has_top)
            segment->virtual_bytes +=
                segment->is_main ? room : min_u64(room, segment->reserved_end - segment->end);
        offset += segment->virtual_bytes;
    }
}

/* What lies at @base is not what @arena says. */
static void lose(struct glibc_heap *heap, struct glibc_arena *arena, uint64_t base)
{
    arena->is_lost = true;
    if (heap->is_held)
        heap_note_corrupt(heap, NOTE_BAD_HEAP, base, arena->index);
}

/* Memory can belong to one arena only, and once: what a broken chain of heaps names again goes. */
static void drop_overlaps(struct glibc_heap *heap)
{
    size_t kept = 0;
    for (size_t i = 0; i < heap->segment_count; i++) {
        const struct glibc_segment *segment = &heap->segments[i];
        if (kept > 0 && segment->base < heap->segments[kept - 1].end) {
            struct glibc_arena *arena = &heap->arenas[segment->arena];
            lose(heap, arena, segment->base);
            arena->heaps--;
            arena->overhead_bytes -= segment->start - segment->base;
            continue;
        }
        heap->segments[kept++] = *segment;
    }
    heap->segment_count = kept;
}

/* What the book of a lost arena counts and no segment has. */
static void count_lost(struct glibc_heap *heap)
{
    for (size_t i = 0; i < heap->arena_count; i++) {
        struct glibc_arena *arena = &heap->arenas[i];
        uint64_t found = 0;
        for (size_t j = 0; arena->is_lost && j < heap->segment_count; j++)
            if (heap->segments[j].arena == i)
                found += heap->segments[j].end - heap->segments[j].base;
        if (arena->is_lost && arena->system_bytes > found)
            arena->unread_bytes = min_u64(arena->system_bytes - found, LOST_MAX);
    }
}

struct heap_header {
    uint64_t ar_ptr, prev, size, mprotect_size;
};

static bool read_heap_header(const struct glibc_heap *heap, uint64_t base, struct heap_header *ret)
{
    const struct heap_layout *layout = &heap->layout->heap;
    uint8_t data[128];
    if (layout->size <= 0 || (size_t)layout->size > sizeof data ||
        target_read_exact(heap->target, base, data, (size_t)layout->size) != STATUS_OK)
        return false;
    ret->ar_ptr = heap_word(heap, data + layout->ar_ptr);
    ret->prev = heap_word(heap, data + layout->prev);
    ret->size = heap_word(heap, data + layout->size_field);
    ret->mprotect_size = heap_word(heap, data + layout->mprotect_size);
    return true;
}

static bool is_heap_valid(const struct glibc_heap *heap, const struct glibc_arena *arena, uint64_t base,
                          const struct heap_header *header)
{
    uint64_t page = heap->target->page_bytes;
    return header->ar_ptr == arena->addr && header->size >= HEAP_SMALLEST && is_aligned(header->size, page) &&
           header->size <= header->mprotect_size && header->mprotect_size <= heap->heap_max_bytes &&
           is_aligned(header->prev, heap->heap_max_bytes) && header->prev != base;
}

uint64_t segments_heap_bytes(const struct glibc_heap *heap, const struct glibc_arena *arena, uint64_t base)
{
    struct heap_header header;
    return read_heap_header(heap, base, &header) && is_heap_valid(heap, arena, base, &header) ? header.size
                                                                                              : 0;
}

/* One sub-heap as a segment; its structs are overhead. The arena's own heap has malloc_state in it. */
static enum status append_heap(struct glibc_heap *heap, struct glibc_arena *arena, uint64_t base,
                               const struct heap_header *header, bool is_newest, struct error *err)
{
    uint64_t structs = (uint64_t)heap->layout->heap.size;
    if (base + structs == arena->addr)
        structs += (uint64_t)heap->layout->state.size;
    struct glibc_segment segment = {
        .base = base,
        .start = segments_first_chunk(heap, base + structs),
        .end = base + header->size,
        .reserved_end = base + heap->heap_max_bytes,
        .arena = arena->ring_position,
        .has_top = is_newest,
    };
    arena->heaps++;
    arena->heap_bytes += header->size;
    arena->heap_mprotect_bytes += header->mprotect_size;
    arena->overhead_bytes += segment.start - base;
    return segments_append(heap, &segment, err);
}

static enum status find_heaps(struct glibc_heap *heap, struct glibc_arena *arena, struct error *err)
{
    if (arena->top_bytes == 0 && arena->system_bytes == 0)
        return STATUS_OK;
    uint64_t base = align_down(arena->top_addr, heap->heap_max_bytes);
    uint64_t most = arena->system_bytes / HEAP_SMALLEST + 1;
    /* Brent: a chain that goes round is noticed within twice its length */
    uint64_t tortoise = 0, power = 1;
    for (uint64_t n = 0; base != 0; n++) {
        struct heap_header header;
        if (n == most || base == tortoise || !read_heap_header(heap, base, &header) ||
            !is_heap_valid(heap, arena, base, &header)) {
            lose(heap, arena, base);
            return STATUS_OK;
        }
        enum status status = append_heap(heap, arena, base, &header, n == 0, err);
        if (status != STATUS_OK)
            return status;
        if (n + 1 == power) {
            tortoise = base;
            power *= 2;
        }
        base = header.prev;
    }
    return STATUS_OK;
}

/*
 * The segments of one arena. In a live process its book may have moved while its heaps were looked at, or top
 * have no header yet: then it is read again.
 */
static enum status find_segments(struct glibc_heap *heap, struct glibc_arena *arena, struct error *err)
{
    size_t count_before = heap->segment_count;
    for (unsigned tries = 1;; tries++) {
        enum status status = arena->is_main ? runs_find(heap, err) : find_heaps(heap, arena, err);
        bool has_top = arena->top_bytes != 0 || arena->is_top_initial;
        if (!has_top && heap->segment_count == count_before)
            lose(heap, arena, arena->top_addr);
        if (status != STATUS_OK || (has_top && !arena->is_lost) || heap->is_held || tries == LIVE_TRIES)
            return status;
        nanosleep(&(struct timespec){.tv_nsec = tries * (long)NS_PER_MS}, NULL);
        heap->segment_count = count_before;
        arena->heaps = 0;
        arena->overhead_bytes = arena->heap_bytes = arena->heap_mprotect_bytes = 0;
        arena->is_lost = arena_refresh(heap, arena) != STATUS_OK;
    }
}

enum status segments_find(struct glibc_heap *heap, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < heap->arena_count; i++)
        status = find_segments(heap, &heap->arenas[i], err);
    if (status != STATUS_OK)
        return status;
    sort_segments(heap);
    drop_overlaps(heap);
    count_lost(heap);
    number_segments(heap);
    return STATUS_OK;
}
