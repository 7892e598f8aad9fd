/*
 * layout_tables.c - glibc's structs by release, 2.17 to 2.44, for words of 8 and 4 bytes.
 *
 * aarch64 equals x86-64 in every row. Rows of 2.31, 2.36, 2.41, 2.43 and 2.44 were checked against the DWARF
 * of Debian's packages, the others by compiling the struct of that release. Sources: malloc/malloc.c and
 * malloc/arena.c of each release.
 */
#include "allocator/glibc/layout_tables.h"

#define NONE LAYOUT_ABSENT
#define ROWS(table) (unsigned)(sizeof(table) / sizeof *(table))

/* mutex and flags never moved */
#define STATE(fast, top_at, remainder, bins_at, next_at, free_at, attached, system, peak, bytes, fastbin_n) \
    {                                                                                                       \
        .mutex = 0, .flags = 4, .fastbins = fast, .top = top_at, .last_remainder = remainder,               \
        .bins = bins_at, .next = next_at, .next_free = free_at, .attached_threads = attached,               \
        .system_mem = system, .max_system_mem = peak, .size = bytes, .fastbin_count = fastbin_n             \
    }

const struct state_row LAYOUT_STATES[] = {
    {17,
     {STATE(0x8, 0x58, 0x60, 0x68, 0x868, 0x870, NONE, 0x878, 0x880, 0x888, 10),
      STATE(0x8, 0x30, 0x34, 0x38, 0x440, 0x444, NONE, 0x448, 0x44c, 0x450, 10)}},
    /* attached_threads; the 2.22 branch has it too */
    {23,
     {STATE(0x8, 0x58, 0x60, 0x68, 0x868, 0x870, 0x878, 0x880, 0x888, 0x890, 10),
      STATE(0x8, 0x30, 0x34, 0x38, 0x440, 0x444, 0x448, 0x44c, 0x450, 0x454, 10)}},
    /* i386: alignment 16 brings an eleventh fastbin */
    {26,
     {STATE(0x8, 0x58, 0x60, 0x68, 0x868, 0x870, 0x878, 0x880, 0x888, 0x890, 10),
      STATE(0x8, 0x34, 0x38, 0x3c, 0x444, 0x448, 0x44c, 0x450, 0x454, 0x458, 11)}},
    /* have_fastchunks; the 2.26 branch has it too */
    {27,
     {STATE(0x10, 0x60, 0x68, 0x70, 0x870, 0x878, 0x880, 0x888, 0x890, 0x898, 10),
      STATE(0xc, 0x38, 0x3c, 0x40, 0x448, 0x44c, 0x450, 0x454, 0x458, 0x45c, 11)}},
    /* fastbins are gone */
    {43,
     {STATE(NONE, 0x8, 0x10, 0x18, 0x818, 0x820, 0x828, 0x830, 0x838, 0x840, 0),
      STATE(NONE, 0x8, 0xc, 0x10, 0x418, 0x41c, 0x420, 0x424, 0x428, 0x42c, 0)}},
};
const unsigned LAYOUT_STATE_ROWS = ROWS(LAYOUT_STATES);

/* the first five members never moved */
#define PAR(word, mode, thp, hp, flags, n, n_max, max_n, no_dyn, mem, max_mem, sbrk, tc_bins, tc_max,       \
            tc_count, bytes)                                                                                \
    {                                                                                                       \
        .trim_threshold = 0, .top_pad = word, .mmap_threshold = 2 * word, .arena_test = 3 * word,           \
        .arena_max = 4 * word, .thp_mode = mode, .thp_pagesize = thp, .hp_pagesize = hp, .hp_flags = flags, \
        .n_mmaps = n, .n_mmaps_max = n_max, .max_n_mmaps = max_n, .no_dyn_threshold = no_dyn,               \
        .mmapped_mem = mem, .max_mmapped_mem = max_mem, .sbrk_base = sbrk, .tcache_bins = tc_bins,          \
        .tcache_max_bytes = tc_max, .tcache_count = tc_count, .size = bytes                                 \
    }

const struct par_row LAYOUT_PARS[] = {
    {17,
     {PAR(8, NONE, NONE, NONE, NONE, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x40, 0x50, NONE, NONE, NONE, 0x58),
      PAR(4, NONE, NONE, NONE, NONE, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x30, NONE, NONE, NONE, 0x34)}},
    /* max_total_mem is gone */
    {24,
     {PAR(8, NONE, NONE, NONE, NONE, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x40, 0x48, NONE, NONE, NONE, 0x50),
      PAR(4, NONE, NONE, NONE, NONE, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, NONE, NONE, NONE, 0x30)}},
    {26,
     {PAR(8, NONE, NONE, NONE, NONE, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x40, 0x48, 0x50, 0x58, 0x60, 0x70),
      PAR(4, NONE, NONE, NONE, NONE, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x40)}},
    /* huge pages */
    {35,
     {PAR(8, NONE, 0x28, 0x30, 0x38, 0x3c, 0x40, 0x44, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x88),
      PAR(4, NONE, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x4c)}},
    /* thp_mode */
    {43,
     {PAR(8, 0x28, 0x30, 0x38, 0x40, 0x44, 0x48, 0x4c, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x80, 0x90),
      PAR(4, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x48, 0x50)}},
    /* tcache_unsorted_limit, the last member, is gone */
    {44,
     {PAR(8, 0x28, 0x30, 0x38, 0x40, 0x44, 0x48, 0x4c, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x80, 0x88),
      PAR(4, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x48, 0x4c)}},
};
const unsigned LAYOUT_PAR_ROWS = ROWS(LAYOUT_PARS);

#define HEAP(word, page, bytes)                                                                         \
    {                                                                                                   \
        .ar_ptr = 0, .prev = word, .size_field = 2 * word, .mprotect_size = 3 * word, .pagesize = page, \
        .size = bytes                                                                                   \
    }

const struct heap_row LAYOUT_HEAPS[] = {
    {17, {HEAP(8, NONE, 0x20), HEAP(4, NONE, 0x10)}},
    /* i386: padded to the alignment of 16 */
    {26, {HEAP(8, NONE, 0x20), HEAP(4, NONE, 0x18)}},
    {35, {HEAP(8, 0x20, 0x30), HEAP(4, 0x10, 0x18)}},
};
const unsigned LAYOUT_HEAP_ROWS = ROWS(LAYOUT_HEAPS);

const struct tcache_row LAYOUT_TCACHES[] = {
    {17, {{0, 0, 0, 0, 0, false, false}, {0, 0, 0, 0, 0, false, false}}},
    {26, {{0, 0x40, 0x240, 1, 64, false, false}, {0, 0x40, 0x140, 1, 64, false, false}}},
    /* counts of 16 bits; the branches of 2.28 and 2.29 have them too */
    {30, {{0, 0x80, 0x280, 2, 64, false, false}, {0, 0x80, 0x180, 2, 64, false, false}}},
    /* safe-linking */
    {32, {{0, 0x80, 0x280, 2, 64, false, true}, {0, 0x80, 0x180, 2, 64, false, true}}},
    /* num_slots counts down from tcache_count; twelve bins of large chunks */
    {42, {{0, 0x98, 0x2f8, 2, 76, true, true}, {0, 0x98, 0x1c8, 2, 76, true, true}}},
};
const unsigned LAYOUT_TCACHE_ROWS = ROWS(LAYOUT_TCACHES);
