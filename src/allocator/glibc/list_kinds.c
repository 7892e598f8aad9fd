/* list_kinds.c - see list_kinds.h. */
#include "allocator/glibc/list_kinds.h"

#define TCACHE_SMALL_BINS 64u

bool list_has_size(const struct glibc_heap *heap, const struct list_cursor *cursor, uint64_t size)
{
    if (size < heap->layout->min_size)
        return false;
    if (cursor->kind == LIST_BIN)
        return cursor->bin == GLIBC_UNSORTED || layout_bin_index(heap->layout, size) == cursor->bin;
    if (cursor->kind == LIST_TCACHE && cursor->bin >= TCACHE_SMALL_BINS)
        return true;
    /* fastbinsY is indexed by size >> (word 8: 4, word 4: 3), less 2 (malloc.c, fastbin_index) */
    if (cursor->kind == LIST_FASTBIN)
        return (size >> (heap->layout->word_bytes == 8 ? 4 : 3)) - 2 == cursor->bin;
    return size == heap->layout->min_size + (uint64_t)cursor->bin * heap->layout->alignment;
}

uint64_t list_next(const struct glibc_heap *heap, const struct list_cursor *cursor)
{
    unsigned word = heap->layout->word_bytes;
    uint64_t stored = heap_word(heap, cursor->node + 2u * word);
    if (cursor->kind == LIST_BIN)
        return stored;
    uint64_t next = heap->layout->tcache.is_mangled ? ((cursor->chunk + 2u * word) >> 12) ^ stored : stored;
    return cursor->kind == LIST_TCACHE && next != 0 ? next - 2u * word : next;
}

void list_set_fastbin(const struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                      struct list_cursor *ret)
{
    ret->kind = LIST_FASTBIN;
    ret->bin = bin;
    ret->chunk = arena->fastbins[bin];
    ret->steps_max = arena->system_bytes / heap->layout->min_size + 1;
}

void list_set_bin(const struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                  struct list_cursor *ret)
{
    ret->kind = LIST_BIN;
    ret->bin = bin;
    ret->head = ret->previous = heap_bin_head(heap, arena, bin);
    ret->chunk = heap_bin_first(heap, arena, bin);
    if (ret->chunk == 0)
        ret->chunk = ret->head; /* bins not initialised yet */
    ret->steps_max = arena->system_bytes / heap->layout->min_size + 1;
}
