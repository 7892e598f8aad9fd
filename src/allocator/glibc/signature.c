/* signature.c - see signature.h. */
#include "allocator/glibc/signature.h"

#include <string.h>

#include "base/checked.h"

#define LIST_HEADS 127u
#define RING_MAX 100000u
/* how much of the data is searched between two looks at the clock */
#define EFFORT_STEP_BYTES 65536u
#define USER_MAX (UINT64_C(1) << 56)

/* Where `bins` can lie in malloc_state, newest first; [0] for words of 8, [1] of 4. */
static const unsigned BINS_OFFSETS[2][4] = {{0x18, 0x70, 0x68, 0}, {0x10, 0x40, 0x3c, 0x38}};

static uint64_t word_at(const uint8_t *data, size_t at, unsigned word)
{
    uint64_t wide = 0;
    memcpy(&wide, data + at, word);
    return wide;
}

static bool is_zero(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (data[i])
            return false;
    return true;
}

/* `next` lies behind the 254 words of bins and the binmap of 16 bytes. */
static uint64_t next_behind_bins(unsigned word)
{
    return 254u * word + 16;
}

struct signature_hit signature_pristine_arena(const uint8_t *data, size_t length, uint64_t base,
                                              unsigned word)
{
    struct signature_hit found = {0};
    for (size_t k = 0; k + 5u * word <= length; k += word) {
        uint64_t value = word_at(data, k, word);
        if (value == 0 || value > base + k)
            continue;
        for (unsigned c = 0; c < 4 && BINS_OFFSETS[word == 4][c]; c++) {
            uint64_t next = BINS_OFFSETS[word == 4][c] + next_behind_bins(word);
            if (base + k - value != next || next > k || !is_zero(data + k - next, (size_t)next))
                continue;
            bool has_threads = word_at(data, k + 2 * word, word) == 1;
            size_t pair = k + (has_threads ? 3u : 2u) * word;
            if (word_at(data, k + word, word) == 0 && is_zero(data + pair, 2 * word)) {
                found.addr = value;
                found.bins_offset = BINS_OFFSETS[word == 4][c];
                found.hits++;
            }
        }
    }
    return found;
}

struct signature_hit signature_pristine_par(const uint8_t *data, size_t length, uint64_t base, unsigned word)
{
    struct signature_hit found = {0};
    uint64_t arena_test = word == 8 ? 8 : 2;
    for (size_t k = 0; k + 5u * word <= length; k += word)
        if (word_at(data, k, word) == 0x20000 && word_at(data, k + word, word) == 0x20000 &&
            word_at(data, k + 2 * word, word) == 0x20000 && word_at(data, k + 3 * word, word) == arena_test &&
            word_at(data, k + 4 * word, word) == 0) {
            found.addr = base + k;
            found.hits++;
        }
    return found;
}

bool signature_ring_closes(struct target *target, uint64_t arena_addr, int next_offset, struct effort *effort)
{
    uint64_t at = arena_addr, tortoise = 0;
    for (unsigned hop = 1, power = 1; hop <= RING_MAX; hop++) {
        if (effort_is_spent(effort, target) ||
            target_read_word(target, at + (uint64_t)next_offset, &at) != STATUS_OK || at == 0 ||
            at == tortoise)
            return false;
        if (at == arena_addr)
            return true;
        if (hop == power) {
            tortoise = at;
            power *= 2;
        }
    }
    return false;
}

unsigned signature_bins_offset(struct target *target, uint64_t arena_addr, struct effort *effort)
{
    unsigned word = target->word_bytes, found = 0;
    for (unsigned c = 0; c < 4 && BINS_OFFSETS[word == 4][c]; c++) {
        unsigned offset = BINS_OFFSETS[word == 4][c];
        if (!signature_ring_closes(target, arena_addr, (int)(offset + next_behind_bins(word)), effort))
            continue;
        if (found)
            return 0;
        found = offset;
    }
    return found;
}

/* Each head is empty or leads to chunks; at least one is empty, and all are set. */
static bool are_heads(const uint8_t *data, size_t bins, uint64_t bins_addr, unsigned word)
{
    unsigned empty = 0;
    for (unsigned i = 0; i < LIST_HEADS; i++) {
        uint64_t head = bins_addr + 2u * word * i - 2u * word;
        uint64_t fd = word_at(data, bins + 2u * word * i, word),
                 bk = word_at(data, bins + 2u * word * i + word, word);
        if (fd == head && bk == head) {
            empty++;
            continue;
        }
        if (fd == 0 || bk == 0 || fd > USER_MAX || bk > USER_MAX || !is_aligned(fd, 2u * word) ||
            !is_aligned(bk, 2u * word) || fd == head || bk == head)
            return false;
    }
    return empty > 0;
}

bool signature_heads_hold(struct target *target, uint64_t bins_addr)
{
    uint8_t data[2 * LIST_HEADS * sizeof(uint64_t)];
    size_t length = (size_t)2 * LIST_HEADS * target->word_bytes;
    return target_read_exact(target, bins_addr, data, length) == STATUS_OK &&
           are_heads(data, 0, bins_addr, target->word_bytes);
}

/* The place of `bins` in malloc_state for which the ring of the arena around it closes; 0: none. */
static unsigned class_by_ring(struct target *target, uint64_t bins_addr, struct effort *effort)
{
    unsigned word = target->word_bytes;
    for (unsigned c = 0; c < 4 && BINS_OFFSETS[word == 4][c]; c++) {
        unsigned offset = BINS_OFFSETS[word == 4][c];
        if (offset <= bins_addr &&
            signature_ring_closes(target, bins_addr - offset, (int)(offset + next_behind_bins(word)), effort))
            return offset;
    }
    return 0;
}

struct signature_hit signature_live_arena(struct target *target, const uint8_t *data, size_t length,
                                          uint64_t base, struct effort *effort)
{
    struct signature_hit found = {0};
    unsigned word = target->word_bytes;
    size_t span = (size_t)next_behind_bins(word) + 5u * word;
    for (size_t k = 2u * word; k + span <= length; k += word) {
        if (is_aligned(k, EFFORT_STEP_BYTES) && effort_is_spent(effort, target))
            break;
        /* cheap first: the first head of all, unsorted, is set */
        uint64_t first = word_at(data, k, word);
        if (first == 0 || !is_aligned(first, word) || !are_heads(data, k, base + k, word))
            continue;
        unsigned offset = class_by_ring(target, base + k, effort);
        if (offset == 0 || offset > k)
            continue;
        found.addr = base + k - offset;
        found.bins_offset = offset;
        found.hits++;
    }
    /* what was not searched may hold a second one */
    return effort->is_spent ? (struct signature_hit){0} : found;
}

/* What mp_ must hold whatever was set (malloc.c, struct malloc_par and do_set_…). */
static bool may_be_par(const uint8_t *at, const struct par_layout *par, unsigned word,
                       const struct maps *maps)
{
    uint64_t trim = word_at(at, (size_t)par->trim_threshold, word);
    uint64_t mmap = word_at(at, (size_t)par->mmap_threshold, word);
    uint64_t arena_test = word_at(at, (size_t)par->arena_test, word);
    uint64_t n = word_at(at, (size_t)par->n_mmaps, 4), max_n = word_at(at, (size_t)par->max_n_mmaps, 4);
    uint64_t bytes = word_at(at, (size_t)par->mmapped_mem, word);
    uint64_t max_bytes = word_at(at, (size_t)par->max_mmapped_mem, word);
    uint64_t no_dyn = word_at(at, (size_t)par->no_dyn_threshold, 4);
    uint64_t sbrk_base = word_at(at, (size_t)par->sbrk_base, word);
    if (arena_test == 0 || arena_test >= 4096 || word_at(at, (size_t)par->arena_max, word) >= 65536 ||
        n > max_n || bytes > max_bytes || max_bytes >= UINT64_C(1) << 47 || (n == 0) != (bytes == 0) ||
        no_dyn > 1)
        return false;
    if (no_dyn == 0 && !(trim == 0x20000 && mmap == 0x20000) && trim != 2 * mmap)
        return false;
    const struct mapping *mapping = sbrk_base ? maps_find(maps, sbrk_base) : NULL;
    return sbrk_base == 0 || (mapping && mapping->is_writable);
}

static unsigned score_par(const uint8_t *at, const struct par_layout *par, unsigned word,
                          const struct maps *maps)
{
    unsigned score = 0;
    uint64_t sbrk_base = word_at(at, (size_t)par->sbrk_base, word);
    const struct mapping *mapping = sbrk_base ? maps_find(maps, sbrk_base) : NULL;
    score += word_at(at, (size_t)par->top_pad, word) == 0x20000;
    score += word_at(at, (size_t)par->arena_test, word) == (word == 8 ? 8 : 2);
    score += word_at(at, (size_t)par->n_mmaps_max, 4) == 65536;
    score += word_at(at, (size_t)par->arena_max, word) == 0;
    score += word_at(at, (size_t)par->mmap_threshold, word) >= 0x20000;
    if (par->tcache_bins != LAYOUT_ABSENT) {
        uint64_t count = word_at(at, (size_t)par->tcache_count, word);
        uint64_t most = word_at(at, (size_t)par->tcache_max_bytes, word);
        score += word_at(at, (size_t)par->tcache_bins, word) == 64;
        score += count == 7 || count == 16;
        score += most == 0x408 || most == 0x411 || most == 0x410;
    }
    return score + (mapping && strcmp(mapping->name, "[heap]") == 0 ? 3u : 0u);
}

struct signature_hit signature_live_par(const uint8_t *data, size_t length, uint64_t base,
                                        const struct glibc_layout *layout, const struct maps *maps)
{
    enum { SCORE_LEAST = 5, LEAD_LEAST = 3 };
    struct signature_hit found = {0};
    unsigned best = 0, second = 0, word = layout->word_bytes;
    for (size_t k = 0; k + (size_t)layout->par.size <= length; k += word) {
        if (!may_be_par(data + k, &layout->par, word, maps))
            continue;
        unsigned score = score_par(data + k, &layout->par, word, maps);
        if (score > best) {
            second = best;
            best = score;
            found.addr = base + k;
        } else if (score > second) {
            second = score;
        }
    }
    found.hits = best >= SCORE_LEAST && best >= second + LEAD_LEAST;
    return found;
}
