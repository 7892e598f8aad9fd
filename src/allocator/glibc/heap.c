/* heap.c - see heap.h. */
#include "allocator/glibc/heap.h"

#include "allocator/glibc/links.h"
#include "base/reserve.h"

const struct glibc_segment *heap_find_segment(const struct glibc_heap *heap, uint64_t address)
{
    size_t low = 0, high = heap->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heap->segments[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == heap->segment_count || address < heap->segments[low].start)
        return NULL;
    return &heap->segments[low];
}

const struct glibc_segment *heap_segment_at(const struct glibc_heap *heap, uint64_t offset)
{
    size_t low = 0, high = heap->segment_count - 1;
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (heap->segments[middle].virtual_start <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return &heap->segments[low];
}

void heap_note_corrupt(struct glibc_heap *heap, enum note_kind kind, uint64_t address, uint32_t arena)
{
    heap->completeness.corrupt_count++;
    completeness_note(&heap->completeness, kind, address, arena);
}

void heap_deinit(struct glibc_heap *heap)
{
    links_end(heap);
    for (size_t i = 0; i < heap->arena_count; i++)
        reserve_free(heap->arenas[i].state);
    reserve_free(heap->arenas);
    reserve_free(heap->segments);
    reserve_free(heap->tcaches.rows);
    reserve_free(heap->tcache_numbers);
    heap->arenas = NULL;
    heap->segments = NULL;
    heap->tcaches.rows = NULL;
    heap->tcache_numbers = NULL;
    heap->arena_count = heap->segment_count = 0;
}
