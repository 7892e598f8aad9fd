/*
 * block_list.h - the list that a target keeps of its own blocks, held against what a walk reports.
 */
#ifndef SUPPORT_BLOCK_LIST_H
#define SUPPORT_BLOCK_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/chunk.h"
#include "snapshot/snapshot.h"

/** A sink that looks each chunk up in the list. Give its address to a scan; it forgets on restart. */
struct block_list {
    struct chunk_sink sink; /* first */
    struct listed_block *blocks;
    size_t count;
    struct chunk *beyond; /* in use or mmapped, and not in the list */
    size_t beyond_count, beyond_capacity;
    size_t wrong;   /* in the list with another size or state */
    uint64_t begin; /* its first block: what lies before it, the C library allocated before main() */
};

/** From the answer to `list`: lines `address usable-bytes what`. False: not of that form. */
bool block_list_init(struct block_list *list, const char *text);
void block_list_deinit(struct block_list *list);

/** Blocks that no chunk was seen for; the first few are printed. */
size_t block_list_missing(const struct block_list *list);

/** Chunks in use beyond the list that are no tcache struct of @snapshot; the first few are printed. */
size_t block_list_unnamed(const struct block_list *list, const struct snapshot *snapshot);

#endif
