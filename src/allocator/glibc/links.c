/*
 * links.c - see links.h.
 *
 * One list is followed at many places at once, since each step of a long list in random order waits for
 * memory: chains begin at each arena's first unsorted chunk and at chunks all over the notes, and end where
 * another one has begun. Then the chains that lead from the head to the head are the list. A chain whose
 * chunks all have one size most likely is in a small bin: it rests until it proves to be wanted.
 */
#include "allocator/glibc/links.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/checked.h"

/* `next` of a chunk whose fd is the head of unsorted, and of one that links to nothing known */
#define LINK_HEAD UINT32_MAX
#define LINK_NOWHERE (UINT32_MAX - 1)
/* log2 of the entries of the index: 1 MiB */
#define INDEX_SHIFT 18u
/* chains that begin all over the notes, and how many are followed side by side */
#define CHAINS_SPREAD 512u
#define CHAINS_ACTIVE 64u
/* so many chunks of one size in turn, and the chain rests */
#define EQUAL_SIZES 16u
/* few enough to be looked through one by one */
#define FEW_ROWS 8u

/** A free chunk. Places and sizes count in units of MALLOC_ALIGNMENT. */
struct link {
    uint32_t place; /* in the marks' address space */
    uint32_t next;  /* place of the chunk that its fd leads to */
    uint32_t size;
    uint32_t chain; /* its number + 1; 0: none has come by */
};

/* A part of a list, from the row where it begins to where another chain begins or it ends. */
struct chain {
    uint32_t first, at, next; /* rows */
    uint32_t equal;           /* how many sizes in turn were equal */
    bool may_rest, is_resting;
    uint32_t end; /* the chain behind it, or LINK_HEAD, or LINK_NOWHERE: broken, or no unsorted list */
    bool is_unsorted;
};

/* Where the rows of a range of places begin. */
struct link_index {
    uint32_t *first; /* one more than there are ranges */
    unsigned shift;
};

static unsigned unit_shift(const struct glibc_heap *heap)
{
    return (unsigned)__builtin_ctz(heap->layout->alignment);
}

bool links_are_possible(const struct glibc_heap *heap)
{
    if (heap->segment_count == 0)
        return false;
    const struct glibc_segment *last = &heap->segments[heap->segment_count - 1];
    return (last->virtual_start + last->virtual_bytes) >> unit_shift(heap) < LINK_NOWHERE;
}

enum status links_begin(struct glibc_heap *heap, struct error *err)
{
    void *rows = mmap(NULL, LINKS_BYTES_MAX, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (rows == MAP_FAILED)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the links of free chunks");
    madvise(rows, LINKS_BYTES_MAX, MADV_HUGEPAGE); /* they are gone through in random order */
    heap->links = (struct links){.rows = rows, .room = LINKS_BYTES_MAX / sizeof(struct link)};
    return STATUS_OK;
}

void links_end(struct glibc_heap *heap)
{
    if (heap->links.rows)
        munmap(heap->links.rows, LINKS_BYTES_MAX);
    heap->links = (struct links){0};
}

static uint32_t place_in(const struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address)
{
    return (uint32_t)((segment->virtual_start + (address - segment->start)) >> unit_shift(heap));
}

static uint64_t address_of(const struct glibc_heap *heap, const struct glibc_segment *segment, uint32_t place)
{
    return segment->start + (((uint64_t)place << unit_shift(heap)) - segment->virtual_start);
}

static bool has_place(const struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address)
{
    return address >= segment->start && address - segment->start < segment->virtual_bytes &&
           is_aligned(address - segment->start, heap->layout->alignment);
}

void links_note(struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address, uint64_t size,
                uint64_t fd)
{
    struct links *links = &heap->links;
    uint64_t units = size >> unit_shift(heap);
    if (links->count == links->room || units > UINT32_MAX || !has_place(heap, segment, address)) {
        links->is_full = true;
        return;
    }
    /* the room behind a segment's end is its own only as far as no other segment lies there */
    bool is_inside = fd >= segment->start && fd < segment->end;
    const struct glibc_segment *other = is_inside ? segment : heap_find_segment(heap, fd);
    uint32_t next = LINK_NOWHERE;
    if (!other)
        other = segment;
    if (has_place(heap, other, fd))
        next = place_in(heap, other, fd);
    else if (fd == heap_bin_head(heap, &heap->arenas[segment->arena], GLIBC_UNSORTED))
        next = LINK_HEAD;
    links->rows[links->count++] =
        (struct link){.place = place_in(heap, segment, address), .next = next, .size = (uint32_t)units};
}

static bool index_build(const struct links *links, struct link_index *ret)
{
    uint32_t last = links->count ? links->rows[links->count - 1].place : 0;
    ret->shift = 0;
    while (last >> ret->shift >> INDEX_SHIFT)
        ret->shift++;
    ret->first = malloc(((UINT64_C(1) << INDEX_SHIFT) + 1) * sizeof *ret->first);
    if (!ret->first)
        return false;
    size_t row = 0;
    for (uint32_t range = 0; range <= UINT32_C(1) << INDEX_SHIFT; range++) {
        while (row < links->count && links->rows[row].place >> ret->shift < range)
            row++;
        ret->first[range] = (uint32_t)row;
    }
    return true;
}

/* The row of the chunk at @place, or UINT32_MAX. */
static uint32_t find(const struct links *links, const struct link_index *index, uint32_t place)
{
    uint32_t range = place >> index->shift;
    if (range >> INDEX_SHIFT)
        return UINT32_MAX;
    uint32_t low = index->first[range], high = index->first[range + 1];
    while (high - low > FEW_ROWS) {
        uint32_t middle = low + (high - low) / 2;
        if (links->rows[middle].place < place)
            low = middle + 1;
        else
            high = middle;
    }
    /* no branch that nobody could predict */
    uint32_t before = 0;
    for (uint32_t row = low; row < high; row++)
        before += links->rows[row].place < place;
    low += before;
    return low < links->count && links->rows[low].place == place ? low : UINT32_MAX;
}

/* The chains of one heap. */
struct chains {
    const struct links *links;
    struct link_index index;
    struct chain *all;
    size_t count;
};

static void chains_free(struct chains *chains)
{
    free(chains->index.first);
    free(chains->all);
}

static bool chains_init(struct chains *chains, const struct glibc_heap *heap)
{
    *chains = (struct chains){.links = &heap->links};
    chains->all = calloc(heap->arena_count + CHAINS_SPREAD, sizeof *chains->all);
    return chains->all && index_build(&heap->links, &chains->index);
}

/* Begin a chain at @row, if none has come by there. */
static void chain_begin(struct chains *chains, uint32_t row, bool may_rest)
{
    if (chains->links->rows[row].chain != 0)
        return;
    chains->all[chains->count] =
        (struct chain){.first = row, .at = row, .end = LINK_NOWHERE, .may_rest = may_rest};
    chains->links->rows[row].chain = (uint32_t)++chains->count;
}

/* The row behind the one that the chain is at; false: it ends here. */
static bool chain_look(const struct chains *chains, struct chain *chain)
{
    uint32_t next = chains->links->rows[chain->at].next;
    chain->end = next == LINK_HEAD ? LINK_HEAD : LINK_NOWHERE;
    chain->next = next < LINK_NOWHERE ? find(chains->links, &chains->index, next) : UINT32_MAX;
    return chain->next != UINT32_MAX;
}

/* Go there; false: another chain has been there, or this one rests now. */
static bool chain_step(struct chains *chains, struct chain *chain)
{
    struct link *row = &chains->links->rows[chain->next];
    uint32_t other = row->chain;
    if (other != 0) {
        /* in a sound list only where the other one begins: each member has one before it */
        if (chains->all[other - 1].first == chain->next)
            chain->end = other - 1;
        return false;
    }
    chain->equal = row->size == chains->links->rows[chain->at].size ? chain->equal + 1 : 0;
    row->chain = (uint32_t)(chain - chains->all + 1);
    chain->at = chain->next;
    chain->is_resting = chain->may_rest && chain->equal >= EQUAL_SIZES;
    return !chain->is_resting;
}

/* Ask for the memory of the next step of all active chains, first the index, then the rows it names. */
static void prefetch_all(const struct chains *chains, struct chain *const *active, size_t count)
{
    const struct link_index *index = &chains->index;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&index->first[chains->links->rows[active[i]->at].next >> index->shift]);
    for (size_t i = 0; i < count; i++) {
        uint32_t range = chains->links->rows[active[i]->at].next >> index->shift;
        if (range >> INDEX_SHIFT)
            continue;
        const struct link *rows = &chains->links->rows[index->first[range]];
        __builtin_prefetch(rows);
        __builtin_prefetch(rows + FEW_ROWS - 1);
    }
}

/* Where the next chain to follow comes from. */
struct chain_source {
    size_t begun;  /* chains looked at */
    size_t spread; /* of CHAINS_SPREAD: begun so far */
    bool wakes;    /* the resting ones, else new ones */
};

static struct chain *chain_next(struct chains *chains, struct chain_source *source)
{
    const uint64_t rows = chains->links->count;
    for (;;) {
        while (source->begun == chains->count && source->spread < CHAINS_SPREAD && rows != 0)
            chain_begin(chains, (uint32_t)(source->spread++ * rows / CHAINS_SPREAD), true);
        if (source->begun == chains->count)
            return NULL;
        struct chain *chain = &chains->all[source->begun++];
        if (source->wakes && !chain->is_resting)
            continue;
        chain->may_rest = chain->may_rest && !source->wakes;
        chain->is_resting = false;
        return chain;
    }
}

/* Follow chains until the source has none: each row is stepped on once. */
static void chains_run(struct chains *chains, struct chain_source source)
{
    struct chain *active[CHAINS_ACTIVE];
    size_t count = 0;
    for (;;) {
        while (count < CHAINS_ACTIVE && (active[count] = chain_next(chains, &source)) != NULL)
            count++;
        if (count == 0)
            return;
        prefetch_all(chains, active, count);
        for (size_t i = count; i-- > 0;)
            if (!chain_look(chains, active[i]) || !chain_step(chains, active[i]))
                active[i] = active[--count];
    }
}

static void note_broken(struct glibc_heap *heap, const struct glibc_arena *arena, uint64_t address)
{
    if (heap->is_held)
        heap_note_corrupt(heap, NOTE_BAD_LINK, address, arena->index);
    else
        completeness_note(&heap->completeness, NOTE_BAD_LINK, address, arena->index);
}

/* The row of the first chunk of @arena's unsorted list, or UINT32_MAX. */
static uint32_t first_row(const struct glibc_heap *heap, const struct chains *chains,
                          const struct glibc_arena *arena)
{
    uint64_t first = heap_bin_first(heap, arena, GLIBC_UNSORTED);
    const struct glibc_segment *segment = heap_find_segment(heap, first);
    if (!segment || !has_place(heap, segment, first))
        return UINT32_MAX;
    return find(chains->links, &chains->index, place_in(heap, segment, first));
}

/* Tell the chains of @arena's unsorted list. */
static void tell_unsorted(struct glibc_heap *heap, struct chains *chains, const struct glibc_arena *arena)
{
    uint64_t first = heap_bin_first(heap, arena, GLIBC_UNSORTED);
    if (first == 0 || first == heap_bin_head(heap, arena, GLIBC_UNSORTED))
        return;
    uint32_t row = first_row(heap, chains, arena);
    uint32_t at = LINK_NOWHERE;
    if (row != UINT32_MAX && chains->links->rows[row].chain != 0)
        at = chains->links->rows[row].chain - 1;
    while (at < chains->count && !chains->all[at].is_unsorted) {
        if (chains->all[at].is_resting)
            chains_run(chains, (struct chain_source){.spread = CHAINS_SPREAD, .wakes = true});
        chains->all[at].is_unsorted = true;
        at = chains->all[at].end;
    }
    if (at != LINK_HEAD)
        note_broken(heap, arena, first);
}

/* Move the sums of the free chunk of @row from its bin to unsorted. */
static void move_row(struct glibc_heap *heap, const struct glibc_segment *segment, const struct link *row,
                     struct bin_sums *bin)
{
    const struct glibc_arena *arena = &heap->arenas[segment->arena];
    struct bin_sums *unsorted = &heap->arenas[segment->arena].bins[GLIBC_UNSORTED];
    uint64_t size = (uint64_t)row->size << unit_shift(heap), at = address_of(heap, segment, row->place);
    uint64_t head = heap_bin_head(heap, arena, GLIBC_UNSORTED), next = head;
    if (row->next < LINK_NOWHERE) {
        uint64_t offset = (uint64_t)row->next << unit_shift(heap);
        if (offset - segment->virtual_start >= segment->virtual_bytes)
            segment = heap_segment_at(heap, offset);
        next = address_of(heap, segment, row->next);
    }
    bin_sums_count(unsorted, size);
    bin->tally.chunks--;
    bin->tally.bytes -= size;
    unsorted->address_sum += at;
    bin->address_sum -= at;
    unsorted->fd_sum += next;
    bin->fd_sum -= next;
}

/* The sizes in large bins must be looked through again, now that some of their chunks are in unsorted. */
static void forget_extremes(struct glibc_heap *heap)
{
    for (size_t i = 0; i < heap->arena_count; i++)
        for (unsigned bin = LAYOUT_BIN_LARGE_FIRST; heap->arenas[i].are_links_noted && bin < GLIBC_BIN_COUNT;
             bin++) {
            heap->arenas[i].bins[bin].min_bytes = UINT64_MAX;
            heap->arenas[i].bins[bin].max_bytes = 0;
        }
}

static void sort_rows(struct glibc_heap *heap, const struct chains *chains, struct totals *totals)
{
    size_t segment = 0;
    forget_extremes(heap);
    for (size_t i = 0; i < heap->links.count; i++) {
        const struct link *row = &heap->links.rows[i];
        while (segment + 1 < heap->segment_count &&
               (uint64_t)row->place << unit_shift(heap) >= heap->segments[segment + 1].virtual_start)
            segment++;
        struct glibc_arena *arena = &heap->arenas[heap->segments[segment].arena];
        uint64_t size = (uint64_t)row->size << unit_shift(heap);
        unsigned number = layout_bin_index(heap->layout, size);
        struct bin_sums *bin = &arena->bins[number];
        bool is_large = number >= LAYOUT_BIN_LARGE_FIRST;
        if (row->chain != 0 && chains->all[row->chain - 1].is_unsorted) {
            move_row(heap, &heap->segments[segment], row, bin);
            totals_move(totals, arena->index, is_large ? CHUNK_LARGE : CHUNK_SMALL, CHUNK_UNSORTED, 1, size);
        } else if (is_large) {
            bin->min_bytes = min_u64(bin->min_bytes, size);
            bin->max_bytes = max_u64(bin->max_bytes, size);
        }
    }
}

void links_settle(struct glibc_heap *heap, struct totals *totals)
{
    if (!heap->links.rows)
        return;
    struct chains chains;
    if (chains_init(&chains, heap)) {
        for (size_t i = 0; i < heap->arena_count; i++) {
            uint32_t row =
                heap->arenas[i].are_links_noted ? first_row(heap, &chains, &heap->arenas[i]) : UINT32_MAX;
            if (row != UINT32_MAX)
                chain_begin(&chains, row, false);
        }
        chains_run(&chains, (struct chain_source){0});
        for (size_t i = 0; i < heap->arena_count; i++)
            if (heap->arenas[i].are_links_noted)
                tell_unsorted(heap, &chains, &heap->arenas[i]);
        sort_rows(heap, &chains, totals);
    } else {
        heap->links.is_full = true; /* the pass is made again without them */
    }
    chains_free(&chains);
}
