/* malloc_structs.c - see malloc_structs.h. */
#include "inspect/malloc_structs.h"

#include <string.h>

#define BIN_WORDS 254u

static bool is_inside(uint64_t address, uint64_t start, int size)
{
    return start != 0 && address >= start && address - start < (uint64_t)size;
}

static bool found(struct malloc_struct *ret, const char *name, uint64_t address, int size)
{
    *ret = (struct malloc_struct){name, address, (uint64_t)size};
    return true;
}

/* An arena's malloc_state, and the heap_info before it or at the start of a later segment. */
static bool find_in_snapshot(const struct snapshot *snapshot, const struct glibc_layout *layout,
                             uint64_t address, struct malloc_struct *ret)
{
    const struct arena_numbers *arenas = snapshot_arenas(snapshot);
    const struct heap_numbers *heaps = snapshot_heaps(snapshot);
    const struct tcache_numbers *tcaches = snapshot_tcaches(snapshot);
    for (uint32_t i = 0; i < snapshot->arena_count; i++)
        if (is_inside(address, arenas[i].address, layout->state.size))
            return found(ret, "malloc_state", arenas[i].address, layout->state.size);
    for (uint32_t i = 0; i < snapshot->heap_count; i++)
        if (heaps[i].arena < snapshot->arena_count && !arenas[heaps[i].arena].is_main &&
            is_inside(address, heaps[i].start, layout->heap.size))
            return found(ret, "heap_info", heaps[i].start, layout->heap.size);
    for (uint32_t i = 0; i < snapshot->tcache_count; i++)
        if (is_inside(address, tcaches[i].address, layout->tcache.size))
            return found(ret, "tcache_perthread_struct", tcaches[i].address, layout->tcache.size);
    return false;
}

bool malloc_struct_find(const struct places *places, uint64_t address, struct malloc_struct *ret)
{
    for (size_t i = 0; i < places->locations.count; i++) {
        const struct glibc_location *location = &places->locations.rows[i];
        const struct glibc_layout *layout = &location->layout;
        if (is_inside(address, location->main_arena_addr, layout->state.size))
            return found(ret, "malloc_state", location->main_arena_addr, layout->state.size);
        if (is_inside(address, location->mp_addr, layout->par.size))
            return found(ret, "malloc_par", location->mp_addr, layout->par.size);
    }
    return places->snapshot && places->locations.count > 0 &&
           find_in_snapshot(places->snapshot, &places->locations.rows[0].layout, address, ret);
}

#define WORD(name, at)                            \
    {                                             \
        name, "size_t", at, word, 1, false, false \
    }
#define POINTER(name, type, at)              \
    {                                        \
        name, type, at, word, 1, true, false \
    }
#define INT(name, at)                       \
    {                                       \
        name, "int", at, 4, 1, false, false \
    }
#define LIST(members)                                                                                 \
    __extension__({                                                                                   \
        _Static_assert(sizeof members / sizeof *members <= MALLOC_MEMBERS_MAX, "room for all of it"); \
        copy(ret, members, sizeof members / sizeof *members);                                         \
    })

static unsigned copy(struct malloc_member *ret, const struct malloc_member *members, size_t count)
{
    unsigned kept = 0;
    for (size_t i = 0; i < count; i++)
        if (members[i].offset != LAYOUT_ABSENT && members[i].count > 0)
            ret[kept++] = members[i];
    return kept;
}

static unsigned list_state(const struct glibc_layout *layout, struct malloc_member *ret)
{
    const struct state_layout *state = &layout->state;
    unsigned word = layout->word_bytes;
    const struct malloc_member members[] = {
        INT("mutex", state->mutex),
        INT("flags", state->flags),
        {"fastbinsY", "mchunkptr", state->fastbins, word, state->fastbin_count, true, true},
        POINTER("top", "mchunkptr", state->top),
        POINTER("last_remainder", "mchunkptr", state->last_remainder),
        {"bins", "mchunkptr", state->bins, word, BIN_WORDS, true, true},
        POINTER("next", "struct malloc_state *", state->next),
        POINTER("next_free", "struct malloc_state *", state->next_free),
        WORD("attached_threads", state->attached_threads),
        WORD("system_mem", state->system_mem),
        WORD("max_system_mem", state->max_system_mem),
    };
    return LIST(members);
}

static unsigned list_par(const struct glibc_layout *layout, struct malloc_member *ret)
{
    const struct par_layout *par = &layout->par;
    unsigned word = layout->word_bytes;
    const struct malloc_member members[] = {
        WORD("trim_threshold", par->trim_threshold),
        WORD("top_pad", par->top_pad),
        WORD("mmap_threshold", par->mmap_threshold),
        WORD("arena_test", par->arena_test),
        WORD("arena_max", par->arena_max),
        INT("thp_mode", par->thp_mode),
        WORD("thp_pagesize", par->thp_pagesize),
        WORD("hp_pagesize", par->hp_pagesize),
        INT("hp_flags", par->hp_flags),
        INT("n_mmaps", par->n_mmaps),
        INT("n_mmaps_max", par->n_mmaps_max),
        INT("max_n_mmaps", par->max_n_mmaps),
        INT("no_dyn_threshold", par->no_dyn_threshold),
        WORD("mmapped_mem", par->mmapped_mem),
        WORD("max_mmapped_mem", par->max_mmapped_mem),
        POINTER("sbrk_base", "char *", par->sbrk_base),
        WORD("tcache_bins", par->tcache_bins),
        WORD("tcache_max_bytes", par->tcache_max_bytes),
        WORD("tcache_count", par->tcache_count),
    };
    return LIST(members);
}

static unsigned list_heap(const struct glibc_layout *layout, struct malloc_member *ret)
{
    const struct heap_layout *heap = &layout->heap;
    unsigned word = layout->word_bytes;
    const struct malloc_member members[] = {
        POINTER("ar_ptr", "struct malloc_state *", heap->ar_ptr),
        POINTER("prev", "struct heap_info *", heap->prev), WORD("size", heap->size_field),
        WORD("mprotect_size", heap->mprotect_size), WORD("pagesize", heap->pagesize)};
    return LIST(members);
}

static unsigned list_tcache(const struct glibc_layout *layout, struct malloc_member *ret)
{
    const struct tcache_layout *tcache = &layout->tcache;
    bool are_free = tcache->counts_are_free_slots; /* then 0 is a full list */
    const struct malloc_member members[] = {
        {are_free ? "num_slots" : "counts", tcache->count_bytes == 1 ? "char" : "uint16_t", tcache->counts,
         tcache->count_bytes, tcache->bins, false, !are_free},
        {"entries", "tcache_entry *", tcache->entries, layout->word_bytes, tcache->bins, true, true}};
    return LIST(members);
}

static unsigned list_chunk(const struct glibc_layout *layout, struct malloc_member *ret)
{
    unsigned word = layout->word_bytes;
    int step = (int)word;
    const struct malloc_member members[] = {WORD("mchunk_prev_size", 0),
                                            WORD("mchunk_size", step),
                                            POINTER("fd", "struct malloc_chunk *", 2 * step),
                                            POINTER("bk", "struct malloc_chunk *", 3 * step),
                                            POINTER("fd_nextsize", "struct malloc_chunk *", 4 * step),
                                            POINTER("bk_nextsize", "struct malloc_chunk *", 5 * step)};
    return LIST(members);
}

static int size_of_state(const struct glibc_layout *layout)
{
    return layout->state.size;
}
static int size_of_par(const struct glibc_layout *layout)
{
    return layout->par.size;
}
static int size_of_heap(const struct glibc_layout *layout)
{
    return layout->heap.size;
}
static int size_of_tcache(const struct glibc_layout *layout)
{
    return layout->tcache.size;
}
static int size_of_chunk(const struct glibc_layout *layout)
{
    return 6 * (int)layout->word_bytes;
}

static const struct {
    const char *name;
    unsigned (*list)(const struct glibc_layout *layout, struct malloc_member *ret);
    int (*size)(const struct glibc_layout *layout);
} STRUCTS[] = {
    {"malloc_state", list_state, size_of_state},
    {"malloc_par", list_par, size_of_par},
    {"heap_info", list_heap, size_of_heap},
    {"_heap_info", list_heap, size_of_heap},
    {"tcache_perthread_struct", list_tcache, size_of_tcache},
    {"tcache", list_tcache, size_of_tcache},
    {"malloc_chunk", list_chunk, size_of_chunk},
};

bool malloc_struct_is_known(const char *name)
{
    for (size_t i = 0; i < sizeof STRUCTS / sizeof *STRUCTS; i++)
        if (strcmp(STRUCTS[i].name, name) == 0)
            return true;
    return false;
}

unsigned malloc_struct_members(const char *name, const struct glibc_layout *layout,
                               struct malloc_member *members, uint64_t *size_bytes)
{
    for (size_t i = 0; i < sizeof STRUCTS / sizeof *STRUCTS; i++)
        if (strcmp(STRUCTS[i].name, name) == 0) {
            *size_bytes = (uint64_t)STRUCTS[i].size(layout);
            return STRUCTS[i].list(layout, members);
        }
    return 0;
}
