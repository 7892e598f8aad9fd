/*
 * layout.h - where glibc keeps what in its structs: one struct layout a process, made of rows of data.
 *
 * Adding a glibc is adding a row for each struct that changed (layout_tables.c). Offsets are in bytes;
 * LAYOUT_ABSENT where a release has no such member. Meanings that changed are members too.
 */
#ifndef ALLOCATOR_GLIBC_LAYOUT_H
#define ALLOCATOR_GLIBC_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_ABSENT (-1)

/** struct malloc_state (malloc/malloc.c). `bins` holds 254 words; bin i's pair is at bins + 2·word·(i − 1).
 */
struct state_layout {
    int mutex, flags, fastbins, top, last_remainder, bins, next, next_free, attached_threads, system_mem,
        max_system_mem, size;
    unsigned fastbin_count; /* 0 since 2.43 */
};

/** struct malloc_par, `mp_` (malloc/malloc.c). */
struct par_layout {
    int trim_threshold, top_pad, mmap_threshold, arena_test, arena_max, thp_mode, thp_pagesize, hp_pagesize,
        hp_flags, n_mmaps, n_mmaps_max, max_n_mmaps, no_dyn_threshold, mmapped_mem, max_mmapped_mem,
        sbrk_base, tcache_bins, tcache_max_bytes, tcache_count, size;
};

/** struct _heap_info (malloc/arena.c). */
struct heap_layout {
    int ar_ptr, prev, size_field, mprotect_size, pagesize, size;
};

/** struct tcache_perthread_struct (malloc/malloc.c); size 0: this glibc has none (to 2.25). */
struct tcache_layout {
    int counts, entries, size;
    unsigned count_bytes;       /* width of one count: 1 or 2 */
    unsigned bins;              /* 64, or 76 since 2.42: those from 64 on hold mixed sizes */
    bool counts_are_free_slots; /* since 2.42: slots left of tcache_count */
    bool is_mangled;            /* safe-linking of list links, since 2.32 (fastbins too) */
};

/** A process' glibc. Chunk arithmetic by word: S = word_bytes, header 2·S. */
struct glibc_layout {
    unsigned version;              /* minor: 36 for 2.36 */
    unsigned word_bytes;           /* S: 8, or 4 */
    unsigned alignment;            /* MALLOC_ALIGNMENT */
    unsigned min_size;             /* MINSIZE */
    uint64_t heap_max_bytes;       /* HEAP_MAX_SIZE unless huge pages change it */
    bool heap_max_from_hp;         /* 2.35 to 2.41: 4·hp_pagesize where that is not 0 */
    bool mmapped_size_less_header; /* since 2.43: size field = total − offset − 2·S */
    bool trim_by_thp;              /* since 2.35: systrim gives back whole thp_pagesize */
    struct state_layout state;
    struct par_layout par;
    struct heap_layout heap;
    struct tcache_layout tcache;
};

/**
 * Compose the layout of glibc 2.@minor for @word_bytes from the rows: the last row of each struct with
 * since <= @minor. False where @minor is older than the oldest row (2.17); newer than the newest (2.44) takes
 * the newest rows.
 */
bool layout_compose(unsigned minor, unsigned word_bytes, struct glibc_layout *ret);

/** The newest minor version that the rows were checked against. */
unsigned layout_newest_verified(void);

/** The first bin that is large; unsorted and the small ones are before it. */
#define LAYOUT_BIN_LARGE_FIRST 64u

/** Bin number (2 … 126) of a chunk of @size bytes; malloc/malloc.c largebin_index, smallbin_index. */
unsigned layout_bin_index(const struct glibc_layout *layout, uint64_t size);

/** Whether a binned chunk of @size bytes lies in a small bin. */
bool layout_is_small(const struct glibc_layout *layout, uint64_t size);

#endif
