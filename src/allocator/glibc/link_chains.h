/* link_chains.h - unsorted lists followed in the notes of links.h, in our own memory; inside links.c only. */
#ifndef ALLOCATOR_GLIBC_LINK_CHAINS_H
#define ALLOCATOR_GLIBC_LINK_CHAINS_H

#include "allocator/glibc/heap.h"

/** `next` of a chunk whose fd is the head of unsorted, and of one that links to nothing known. */
#define LINK_HEAD UINT32_MAX
#define LINK_NOWHERE (UINT32_MAX - 1)

/** A free chunk. Places and sizes count in units of MALLOC_ALIGNMENT. */
struct link {
    uint32_t place; /* in the marks' address space; rows are by rising place */
    uint32_t next;  /* place of the chunk that its fd leads to */
    uint32_t size;
    uint32_t chain; /* its number + 1; 0: none has come by */
};

/** Where the rows of a range of places begin. */
struct link_index {
    uint32_t *first; /* one more than there are ranges; owned */
    unsigned shift;
};

struct chain;
/** The chains of one heap's notes. */
struct link_chains {
    const struct links *links;
    struct link_index index;
    struct chain *all; /* owned */
    size_t count;
};

/** Ready for lists with @heads known beginnings; false: no memory. link_chains_deinit() ends it either way.
 */
bool link_chains_init(struct link_chains *chains, const struct links *links, size_t heads) must_check;
void link_chains_deinit(struct link_chains *chains);

/** The row of the chunk at @place, or UINT32_MAX. */
uint32_t link_chains_find(const struct link_chains *chains, uint32_t place);

/** A list begins at @row: before link_chains_follow(), at most as often as heads were announced. */
void link_chains_begin(struct link_chains *chains, uint32_t row);

/** Follow all chains: each row is stepped on once. */
void link_chains_follow(struct link_chains *chains);

/** The chunks from @row on are unsorted. False: they do not lead back to the head; those reached are told. */
bool link_chains_tell(struct link_chains *chains, uint32_t row);

/** Whether @row was told to be unsorted. */
bool link_chains_is_told(const struct link_chains *chains, const struct link *row);

#endif
