/* layout_told.c - see layout_told.h. */
#include "allocator/glibc/layout_told.h"

#include <string.h>

#define STRUCT_BYTES_MAX 65536
/* they lie right before `top` */
#define FASTBINS_MAX 11

/* A member of a struct, where a layout has it, and whether a walk can do without it. */
static const struct told_row {
    enum symbol_field field;
    enum symbol_struct owner;
    size_t place;
    bool is_optional;
} ROWS[] = {
#define ROW(field, owner, member, is_optional)                                            \
    {                                                                                     \
        FIELD_##field, STRUCT_##owner, offsetof(struct glibc_layout, member), is_optional \
    }
    ROW(STATE_FASTBINS, STATE, state.fastbins, true),
    ROW(STATE_TOP, STATE, state.top, false),
    ROW(STATE_BINS, STATE, state.bins, false),
    ROW(STATE_NEXT, STATE, state.next, false),
    ROW(STATE_ATTACHED_THREADS, STATE, state.attached_threads, true),
    ROW(STATE_SYSTEM_MEM, STATE, state.system_mem, false),
    ROW(STATE_MAX_SYSTEM_MEM, STATE, state.max_system_mem, false),
    ROW(PAR_TRIM_THRESHOLD, PAR, par.trim_threshold, true),
    ROW(PAR_MMAP_THRESHOLD, PAR, par.mmap_threshold, true),
    ROW(PAR_ARENA_MAX, PAR, par.arena_max, true),
    ROW(PAR_THP_PAGESIZE, PAR, par.thp_pagesize, true),
    ROW(PAR_HP_PAGESIZE, PAR, par.hp_pagesize, true),
    ROW(PAR_N_MMAPS, PAR, par.n_mmaps, false),
    ROW(PAR_MMAPPED_MEM, PAR, par.mmapped_mem, false),
    ROW(PAR_SBRK_BASE, PAR, par.sbrk_base, false),
    ROW(PAR_TCACHE_COUNT, PAR, par.tcache_count, true),
    ROW(HEAP_AR_PTR, HEAP, heap.ar_ptr, false),
    ROW(HEAP_PREV, HEAP, heap.prev, false),
    ROW(HEAP_SIZE, HEAP, heap.size_field, false),
    ROW(HEAP_MPROTECT_SIZE, HEAP, heap.mprotect_size, false),
    ROW(TCACHE_ENTRIES, TCACHE, tcache.entries, true),
#undef ROW
};

static const size_t SIZE_PLACES[STRUCT_COUNT] = {
    [STRUCT_STATE] = offsetof(struct glibc_layout, state.size),
    [STRUCT_PAR] = offsetof(struct glibc_layout, par.size),
    [STRUCT_HEAP] = offsetof(struct glibc_layout, heap.size),
    [STRUCT_TCACHE] = offsetof(struct glibc_layout, tcache.size),
};

static void put(struct glibc_layout *layout, size_t place, int value)
{
    memcpy((char *)layout + place, &value, sizeof value);
}

void layout_told_keep(const struct symbol_answer *answer, struct layout_told *ret)
{
    *ret = (struct layout_told){.is_known = answer->has_layout};
    memcpy(ret->offsets, answer->offsets, sizeof ret->offsets);
    memcpy(ret->sizes, answer->sizes, sizeof ret->sizes);
}

bool layout_told_apply(const struct layout_told *told, struct glibc_layout *layout)
{
    struct glibc_layout result = *layout;
    int word = (int)layout->word_bytes;
    if (!told->is_known)
        return false;
    for (unsigned i = 0; i < STRUCT_COUNT; i++) {
        if (told->sizes[i] > STRUCT_BYTES_MAX || (told->sizes[i] <= 0 && i != STRUCT_TCACHE))
            return false;
        put(&result, SIZE_PLACES[i], told->sizes[i] > 0 ? told->sizes[i] : 0);
    }
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int32_t offset = told->offsets[ROWS[i].field];
        if (offset < 0 ? !ROWS[i].is_optional : offset > told->sizes[ROWS[i].owner] - word)
            return false;
        put(&result, ROWS[i].place, offset < 0 ? LAYOUT_ABSENT : offset);
    }
    if (result.state.bins + 254 * word > result.state.size)
        return false;
    int fastbins =
        result.state.fastbins == LAYOUT_ABSENT ? 0 : (result.state.top - result.state.fastbins) / word;
    if (fastbins < 0 || fastbins > FASTBINS_MAX)
        return false;
    result.state.fastbin_count = (unsigned)fastbins;
    if (result.tcache.entries == LAYOUT_ABSENT || result.tcache.size <= 0)
        result.tcache = (struct tcache_layout){0};
    else
        result.tcache.bins = (unsigned)((result.tcache.size - result.tcache.entries) / word);
    *layout = result;
    return true;
}
