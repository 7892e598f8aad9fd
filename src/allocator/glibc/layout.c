/* layout.c - compose a process' layout from the rows, and the bins' arithmetic (malloc.c, bin_index). */
#include "allocator/glibc/layout.h"

#include "allocator/glibc/layout_tables.h"

#define OLDEST 17u
#define NEWEST_VERIFIED 44u

/* The last row of @table with since <= @minor; rows rise. */
#define PICK(table, count, minor, word_index, ret)        \
    do {                                                  \
        for (unsigned row_ = 0; row_ < (count); row_++)   \
            if ((table)[row_].since <= (minor))           \
                *(ret) = (table)[row_].words[word_index]; \
    } while (0)

bool layout_compose(unsigned minor, unsigned word_bytes, struct glibc_layout *ret)
{
    if (minor < OLDEST || (word_bytes != 8 && word_bytes != 4))
        return false;
    unsigned word_index = word_bytes == 8 ? 0 : 1;
    bool is_narrow = word_bytes == 4;
    struct glibc_layout layout = {
        .version = minor,
        .word_bytes = word_bytes,
        .alignment = is_narrow && minor < 26 ? 8 : 16,
        .min_size = 4 * word_bytes,
        .heap_max_bytes = is_narrow ? UINT64_C(1) << 20 : UINT64_C(64) << 20,
        .heap_max_from_hp = minor >= 35 && minor <= 41,
        .mmapped_size_less_header = minor >= 43,
        .trim_by_thp = minor >= 35,
    };
    PICK(LAYOUT_STATES, LAYOUT_STATE_ROWS, minor, word_index, &layout.state);
    PICK(LAYOUT_PARS, LAYOUT_PAR_ROWS, minor, word_index, &layout.par);
    PICK(LAYOUT_HEAPS, LAYOUT_HEAP_ROWS, minor, word_index, &layout.heap);
    PICK(LAYOUT_TCACHES, LAYOUT_TCACHE_ROWS, minor, word_index, &layout.tcache);
    *ret = layout;
    return true;
}

unsigned layout_newest_verified(void)
{
    return NEWEST_VERIFIED;
}

/* What differs by alignment and word: where small bins end, and the first step of the large ones. */
struct index_rule {
    unsigned small_shift, small_add;
    uint64_t small_end;
    unsigned first_max, first_add;
};

static const struct index_rule *rule_of(const struct glibc_layout *layout)
{
    static const struct index_rule WIDE = {4, 0, 1024, 48, 48};
    static const struct index_rule NARROW_16 = {4, 1, 1008, 45, 49};
    static const struct index_rule NARROW_8 = {3, 0, 512, 38, 56};
    if (layout->word_bytes == 8)
        return &WIDE;
    return layout->alignment == 16 ? &NARROW_16 : &NARROW_8;
}

bool layout_is_small(const struct glibc_layout *layout, uint64_t size)
{
    return size < rule_of(layout)->small_end;
}

unsigned layout_bin_index(const struct glibc_layout *layout, uint64_t size)
{
    static const struct {
        unsigned shift, max, add;
    } STEPS[] = {{9, 20, 91}, {12, 10, 110}, {15, 4, 119}, {18, 2, 124}};
    const struct index_rule *rule = rule_of(layout);
    if (size < rule->small_end)
        return (unsigned)(size >> rule->small_shift) + rule->small_add;
    if (size >> 6 <= rule->first_max)
        return (unsigned)(size >> 6) + rule->first_add;
    for (unsigned i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        if (size >> STEPS[i].shift <= STEPS[i].max)
            return (unsigned)(size >> STEPS[i].shift) + STEPS[i].add;
    return 126;
}
