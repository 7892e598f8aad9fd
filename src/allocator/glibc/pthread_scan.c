/* pthread_scan.c - see pthread_scan.h. */
#include "allocator/glibc/pthread_scan.h"

#include <string.h>

#include "base/checked.h"
#include "base/reserve.h"
#include "target/page_view.h"

#define BLOCK_BYTES 65536u
/* larger mappings are searched last */
#define STACK_BYTES_MAX (UINT64_C(16) << 20)
#define READ_BYTES_MAX (UINT64_C(512) << 20)

/* Where struct pthread keeps its members; the same from 2.31 to 2.44 (nptl/descr.h). */
static const struct shape {
    unsigned word_bytes;
    uint64_t robust_head, tid;
} SHAPES[] = {{8, 0x2e0, 0x2d0}, {4, 0, 0x68}};

static const struct shape *shape_of(const struct target *target)
{
    return target->word_bytes == 8 ? &SHAPES[0] : &SHAPES[1];
}

struct search {
    struct target *target;
    struct pthread_place *places;
    size_t count, missing;
    uint64_t read_bytes;
    struct page_view *pages;
    uint8_t data[BLOCK_BYTES + 3 * 8];
};

uint64_t pthread_robust_head(const struct target *target)
{
    return shape_of(target)->robust_head;
}

static uint64_t word_at(const uint8_t *data, size_t index, unsigned word)
{
    uint64_t value = 0;
    memcpy(&value, data + index * word, word);
    return value;
}

bool pthread_is_at(struct target *target, uint64_t pointer, struct pthread_place *place)
{
    uint8_t head[3 * 8];
    int32_t tid;
    unsigned word = target->word_bytes;
    if (target_read_exact(target, pointer, head, 3u * word) != STATUS_OK ||
        word_at(head, 0, word) != pointer || word_at(head, 2, word) != pointer ||
        target_read_exact(target, pointer + shape_of(target)->tid, &tid, sizeof tid) != STATUS_OK ||
        (tid != place->own_tid && !(tid == 0 && place->may_be_zero) && !(tid > 0 && place->is_tid_unknown)))
        return false;
    place->pointer = pointer;
    place->dtv = word_at(head, 1, word);
    return true;
}

static void take(struct search *search, uint64_t pointer)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->places[i].pointer == 0 && pthread_is_at(search->target, pointer, &search->places[i])) {
            search->missing--;
            return;
        }
}

/* One block of a mapping, pages that are in memory only. */
static void search_block(struct search *search, uint64_t start, uint64_t end)
{
    unsigned word = search->target->word_bytes;
    for (uint64_t at = start; at < end && search->missing;) {
        uint64_t run = page_view_readable_run(search->pages, at, end, false);
        if (run == 0) {
            at = min_u64(end, align_down(at, search->target->page_bytes) + search->target->page_bytes);
            continue;
        }
        /* struct pthread is aligned to more than a word: its head is never cut at a page's end */
        size_t got = target_read(search->target, at, search->data, (size_t)run);
        search->read_bytes += run;
        for (size_t i = 0; i + 3u * word <= got; i += word)
            if (word_at(search->data + i, 0, word) == at + i && word_at(search->data + i, 2, word) == at + i)
                take(search, at + i);
        at += run;
    }
}

/* Where a struct pthread is looked for, likely places first. */
enum extent {
    EXTENT_UPPER_END, /* of a mapping: a thread's stack has it there, and the main thread's mapping is small
                       */
    EXTENT_SMALL,     /* all of a mapping that may be a stack, or was merged with one */
    EXTENT_LARGE,
    EXTENT_COUNT
};

static bool may_hold(const struct mapping *mapping, enum extent extent)
{
    bool is_large = mapping->end - mapping->start > STACK_BYTES_MAX;
    return mapping_is_anonymous(mapping) && mapping->is_readable && mapping->is_writable &&
           (extent == EXTENT_UPPER_END || is_large == (extent == EXTENT_LARGE));
}

static void search_mapping(struct search *search, const struct mapping *mapping, enum extent extent)
{
    for (uint64_t end = mapping->end; end > mapping->start && search->missing;) {
        uint64_t start = max_u64(mapping->start, align_down(end - 1, BLOCK_BYTES));
        search_block(search, start, end);
        end = start;
        if (search->read_bytes > READ_BYTES_MAX || extent == EXTENT_UPPER_END)
            return;
    }
}

void pthread_scan(struct target *target, const struct maps *maps, struct pthread_place *places, size_t count)
{
    scoped_reserved struct search *search = reserve_calloc(1, sizeof *search);
    scoped_reserved struct page_view *pages = reserve_calloc(1, sizeof *pages);
    if (!search || !pages || maps->count == 0)
        return;
    *search = (struct search){.target = target, .places = places, .count = count, .pages = pages};
    for (size_t i = 0; i < count; i++)
        search->missing += places[i].pointer == 0;
    page_view_init(pages, target, maps->rows[0].start);
    for (enum extent extent = 0; extent < EXTENT_COUNT; extent++)
        for (size_t i = 0; i < maps->count && search->missing && search->read_bytes <= READ_BYTES_MAX; i++)
            if (may_hold(&maps->rows[i], extent))
                search_mapping(search, &maps->rows[i], extent);
}
