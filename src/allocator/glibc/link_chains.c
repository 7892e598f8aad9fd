/*
 * link_chains.c - see link_chains.h.
 *
 * One list is followed at many places at once, since each step of a long list in random order waits for
 * memory: chains begin at each arena's first unsorted chunk and at chunks all over the notes, and end where
 * another one has begun. Then the chains that lead from the head to the head are the list. A chain whose
 * chunks all have one size most likely is in a small bin: it rests until it proves to be wanted.
 */
#include "allocator/glibc/link_chains.h"

#include "base/reserve.h"

/* log2 of the entries of the index: 1 MiB */
#define INDEX_SHIFT 18u
/* chains that begin all over the notes, and how many are followed side by side */
#define CHAINS_SPREAD 512u
#define CHAINS_ACTIVE 64u
/* so many chunks of one size in turn, and the chain rests */
#define EQUAL_SIZES 16u
/* few enough to be looked through one by one */
#define FEW_ROWS 8u

/* A part of a list, from the row where it begins to where another chain begins or it ends. */
struct chain {
    uint32_t first, at, next; /* rows */
    uint32_t equal;           /* how many sizes in turn were equal */
    bool may_rest, is_resting;
    uint32_t end; /* the chain behind it, or LINK_HEAD, or LINK_NOWHERE: broken, or no unsorted list */
    bool is_unsorted;
};

static bool index_build(const struct links *links, struct link_index *ret)
{
    uint32_t last = links->count ? links->rows[links->count - 1].place : 0;
    ret->shift = 0;
    while (last >> ret->shift >> INDEX_SHIFT)
        ret->shift++;
    ret->first = reserve_calloc((UINT64_C(1) << INDEX_SHIFT) + 1, sizeof *ret->first);
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

void link_chains_deinit(struct link_chains *chains)
{
    reserve_free(chains->index.first);
    reserve_free(chains->all);
    *chains = (struct link_chains){0};
}

bool link_chains_init(struct link_chains *chains, const struct links *links, size_t heads)
{
    *chains = (struct link_chains){.links = links};
    chains->all = reserve_calloc(heads + CHAINS_SPREAD, sizeof *chains->all);
    return chains->all && index_build(links, &chains->index);
}

uint32_t link_chains_find(const struct link_chains *chains, uint32_t place)
{
    return find(chains->links, &chains->index, place);
}

/* Begin a chain at @row, if none has come by there. */
static void begin_at(struct link_chains *chains, uint32_t row, bool may_rest)
{
    if (chains->links->rows[row].chain != 0)
        return;
    chains->all[chains->count] =
        (struct chain){.first = row, .at = row, .end = LINK_NOWHERE, .may_rest = may_rest};
    chains->links->rows[row].chain = (uint32_t)++chains->count;
}

/* The row behind the one that the chain is at; false: it ends here. */
static bool look(const struct link_chains *chains, struct chain *chain)
{
    uint32_t next = chains->links->rows[chain->at].next;
    chain->end = next == LINK_HEAD ? LINK_HEAD : LINK_NOWHERE;
    chain->next = next < LINK_NOWHERE ? find(chains->links, &chains->index, next) : UINT32_MAX;
    return chain->next != UINT32_MAX;
}

/* Go there; false: another chain has been there, or this one rests now. */
static bool step(struct link_chains *chains, struct chain *chain)
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
static void prefetch_all(const struct link_chains *chains, struct chain *const *active, size_t count)
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

static struct chain *next_chain(struct link_chains *chains, struct chain_source *source)
{
    const uint64_t rows = chains->links->count;
    for (;;) {
        while (source->begun == chains->count && source->spread < CHAINS_SPREAD && rows != 0)
            begin_at(chains, (uint32_t)(source->spread++ * rows / CHAINS_SPREAD), true);
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
static void run(struct link_chains *chains, struct chain_source source)
{
    struct chain *active[CHAINS_ACTIVE];
    size_t count = 0;
    for (;;) {
        while (count < CHAINS_ACTIVE && (active[count] = next_chain(chains, &source)) != NULL)
            count++;
        if (count == 0)
            return;
        prefetch_all(chains, active, count);
        for (size_t i = count; i-- > 0;)
            if (!look(chains, active[i]) || !step(chains, active[i]))
                active[i] = active[--count];
    }
}

void link_chains_begin(struct link_chains *chains, uint32_t row)
{
    begin_at(chains, row, false);
}

void link_chains_follow(struct link_chains *chains)
{
    run(chains, (struct chain_source){0});
}

bool link_chains_tell(struct link_chains *chains, uint32_t row)
{
    uint32_t at = LINK_NOWHERE;
    if (chains->links->rows[row].chain != 0)
        at = chains->links->rows[row].chain - 1;
    while (at < chains->count && !chains->all[at].is_unsorted) {
        if (chains->all[at].is_resting)
            run(chains, (struct chain_source){.spread = CHAINS_SPREAD, .wakes = true});
        chains->all[at].is_unsorted = true;
        at = chains->all[at].end;
    }
    return at == LINK_HEAD;
}

bool link_chains_is_told(const struct link_chains *chains, const struct link *row)
{
    return row->chain != 0 && chains->all[row->chain - 1].is_unsorted;
}
