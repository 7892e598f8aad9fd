/* arena.c - see arena.h. */
#include "allocator/glibc/arena.h"

#include <string.h>

#include "allocator/glibc/top.h"
#include "base/array.h"
#include "base/checked.h"
#include "base/reserve.h"

static uint64_t member_word(const struct glibc_heap *heap, const uint8_t *data, int offset)
{
    return offset == LAYOUT_ABSENT ? 0 : heap_word(heap, data + offset);
}

static uint32_t member_int(const uint8_t *data, int offset)
{
    uint32_t value = 0;
    if (offset != LAYOUT_ABSENT)
        memcpy(&value, data + offset, sizeof value);
    return value;
}

void par_read(const struct glibc_heap *heap, struct glibc_par *ret)
{
    const struct par_layout *par = &heap->layout->par;
    uint8_t data[512];
    *ret = (struct glibc_par){0};
    if (heap->location->mp_addr == 0 || par->size <= 0 || (size_t)par->size > sizeof data ||
        target_read_exact(heap->target, heap->location->mp_addr, data, (size_t)par->size) != STATUS_OK)
        return;
    *ret = (struct glibc_par){
        .is_known = true,
        .trim_threshold = member_word(heap, data, par->trim_threshold),
        .top_pad = member_word(heap, data, par->top_pad),
        .mmap_threshold = member_word(heap, data, par->mmap_threshold),
        .arena_max = member_word(heap, data, par->arena_max),
        .thp_pagesize = member_word(heap, data, par->thp_pagesize),
        .hp_pagesize = member_word(heap, data, par->hp_pagesize),
        .n_mmaps = member_int(data, par->n_mmaps),
        .has_fixed_thresholds = member_int(data, par->no_dyn_threshold) != 0,
        .mmapped_mem = member_word(heap, data, par->mmapped_mem),
        .sbrk_base = member_word(heap, data, par->sbrk_base),
        .tcache_count = member_word(heap, data, par->tcache_count),
        /* mremap_chunk() takes the old size from the size field, which lacks a header since 2.43 */
        .mremap_error_bytes = heap->layout->mmapped_size_less_header ? heap_header_bytes(heap) : 0,
    };
}

/* Take over what the copied malloc_state says. The initial top lies inside the struct and has no chunk. */
static void arena_parse(const struct glibc_heap *heap, struct glibc_arena *arena)
{
    const struct state_layout *state = &heap->layout->state;
    arena->flags = member_int(arena->state, state->flags);
    arena->mutex = member_int(arena->state, state->mutex);
    arena->system_bytes = member_word(heap, arena->state, state->system_mem);
    arena->system_peak_bytes = member_word(heap, arena->state, state->max_system_mem);
    arena->attached_threads.is_known = state->attached_threads != LAYOUT_ABSENT;
    arena->attached_threads.value = member_word(heap, arena->state, state->attached_threads);
    for (unsigned i = 0; i < state->fastbin_count && i < GLIBC_FASTBIN_MAX; i++)
        arena->fastbins[i] =
            member_word(heap, arena->state, state->fastbins + (int)(i * heap->layout->word_bytes));
    arena->top_addr = member_word(heap, arena->state, state->top);
    arena->top_bytes = 0;
    bool is_initial =
        arena->top_addr == 0 || distance_u64(arena->top_addr, arena->addr) < (uint64_t)state->size;
    uint64_t field;
    arena->is_top_initial = is_initial;
    if (!is_initial &&
        target_read_word(heap->target, arena->top_addr + heap->layout->word_bytes, &field) == STATUS_OK)
        arena->top_bytes = top_bytes_of(heap, arena->top_addr, field);
}

enum status arena_refresh(struct glibc_heap *heap, struct glibc_arena *arena)
{
    if (target_read_exact(heap->target, arena->addr, arena->state, (size_t)heap->layout->state.size) !=
        STATUS_OK)
        return STATUS_FAULT;
    arena_parse(heap, arena);
    return STATUS_OK;
}

static enum status arena_append(struct glibc_heap *heap, uint64_t addr, struct error *err)
{
    if (!array_room(&heap->arenas, heap->arena_count, &heap->arena_capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for more than %zu arenas", heap->arena_count);
    struct glibc_arena *arena = &heap->arenas[heap->arena_count];
    memset(arena, 0, sizeof *arena);
    arena->addr = addr;
    arena->ring_position = (uint32_t)heap->arena_count;
    arena->is_main = heap->arena_count == 0;
    arena->state = reserve_calloc(1, (size_t)heap->layout->state.size);
    if (!arena->state)
        return error_set(err, STATUS_NO_MEMORY, "no memory for an arena");
    if (arena_refresh(heap, arena) != STATUS_OK) {
        reserve_free(arena->state);
        return STATUS_FAULT;
    }
    arena->system_bytes_before = arena->system_bytes;
    heap->arena_count++;
    return STATUS_OK;
}

/* A non-main arena lies right behind its first heap's heap_info, which names it (arena.c, new_heap). */
static bool is_arena_place(const struct glibc_heap *heap, uint64_t addr)
{
    uint64_t owner;
    uint64_t base = align_down(addr, heap->heap_max_bytes);
    return addr - base == (uint64_t)heap->layout->heap.size &&
           target_read_word(heap->target, base + (uint64_t)heap->layout->heap.ar_ptr, &owner) == STATUS_OK &&
           owner == addr;
}

static uint64_t arena_next(const struct glibc_heap *heap, const struct glibc_arena *arena)
{
    return member_word(heap, arena->state, heap->layout->state.next);
}

/* glibc puts a new arena right behind main: the oldest is last (arena.c, _int_new_arena). */
static void number_by_age(struct glibc_heap *heap)
{
    for (size_t i = 0; i < heap->arena_count; i++)
        heap->arenas[i].index = heap->index_offset + (i == 0 ? 0 : (uint32_t)(heap->arena_count - i));
}

enum status arena_read_ring(struct glibc_heap *heap, struct error *err)
{
    enum status status = arena_append(heap, heap->location->main_arena_addr, err);
    if (status == STATUS_FAULT)
        return error_set(err, STATUS_FAULT, "main_arena at 0x%llx cannot be read",
                         (unsigned long long)heap->location->main_arena_addr);
    if (status != STATUS_OK)
        return status;
    heap->is_ring_closed = false;
    /* Brent: a ring that never comes back to main is noticed within twice its length */
    uint64_t tortoise = 0;
    size_t power = 1;
    for (;;) {
        uint64_t next = arena_next(heap, &heap->arenas[heap->arena_count - 1]);
        if (next == heap->arenas[0].addr) {
            heap->is_ring_closed = true;
            break;
        }
        if (next == 0 || next == tortoise || !is_arena_place(heap, next))
            break;
        if (heap->arena_count == power) {
            tortoise = next;
            power *= 2;
        }
        status = arena_append(heap, next, err);
        if (status == STATUS_FAULT)
            break;
        if (status != STATUS_OK)
            return status;
    }
    heap->is_part_unread |= !heap->is_ring_closed;
    if (!heap->is_ring_closed)
        completeness_note(&heap->completeness, NOTE_BAD_RING, heap->arenas[heap->arena_count - 1].addr,
                          (uint32_t)heap->arena_count - 1);
    number_by_age(heap);
    return STATUS_OK;
}
