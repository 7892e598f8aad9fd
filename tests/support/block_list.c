/* block_list.c - each block of a target's own list must be a chunk in use or mmapped, with its size. */
#include "support/block_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINTED_MAX 10

struct listed_block {
    uint64_t address; /* malloc's pointer */
    uint64_t usable_bytes;
    bool is_seen;
};

static int compare_blocks(const void *a, const void *b)
{
    const struct listed_block *left = a, *right = b;
    return (left->address > right->address) - (left->address < right->address);
}

static bool is_size_right(const struct listed_block *block, const struct chunk *chunk)
{
    /* malloc_usable_size(): a chunk in use also has the next one's first word; a mapping has not, and what
       memalign cut off at a mapping's start counts to the mapping but not to the block. */
    if (chunk->state == CHUNK_MMAPPED) {
        return block->usable_bytes + chunk->header_bytes <= chunk->size;
    }
    return chunk->state == CHUNK_IN_USE && block->usable_bytes == chunk->size - chunk->header_bytes / 2u;
}

static void note_beyond(struct block_list *list, const struct chunk *chunk)
{
    if (list->beyond_count == list->beyond_capacity) {
        size_t capacity = list->beyond_capacity * 2 + 64;
        struct chunk *grown = reallocarray(list->beyond, capacity, sizeof *grown);
        if (grown == NULL) {
            abort();
        }
        list->beyond = grown;
        list->beyond_capacity = capacity;
    }
    list->beyond[list->beyond_count++] = *chunk;
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct block_list *list = (struct block_list *)sink;
    for (size_t i = 0; i < count; i++) {
        const struct chunk *chunk = &chunks[i];
        struct listed_block key = {.address = chunk->address + chunk->header_bytes};
        struct listed_block *block =
            bsearch(&key, list->blocks, list->count, sizeof *list->blocks, compare_blocks);
        if (block != NULL) {
            block->is_seen = true;
            list->wrong += is_size_right(block, chunk) ? 0 : 1;
        } else if (chunk->state == CHUNK_IN_USE || chunk->state == CHUNK_MMAPPED) {
            note_beyond(list, chunk);
        }
    }
    return true;
}

static void restart(struct chunk_sink *sink)
{
    struct block_list *list = (struct block_list *)sink;
    list->beyond_count = list->wrong = 0;
    for (size_t i = 0; i < list->count; i++) {
        list->blocks[i].is_seen = false;
    }
}

bool block_list_init(struct block_list *list, const char *text)
{
    *list = (struct block_list){.sink = {consume, restart}};
    size_t lines = 0;
    for (const char *at = text; *at != '\0'; at++) {
        lines += *at == '\n' ? 1 : 0;
    }
    list->blocks = calloc(lines + 1, sizeof *list->blocks);
    if (list->blocks == NULL) {
        return false;
    }
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        struct listed_block *block = &list->blocks[list->count++];
        if (sscanf(line, "%" SCNx64 " %" SCNu64, &block->address, &block->usable_bytes) != 2) {
            return false;
        }
    }
    list->begin = list->blocks[0].address;
    qsort(list->blocks, list->count, sizeof *list->blocks, compare_blocks);
    return list->count > 0;
}

void block_list_deinit(struct block_list *list)
{
    free(list->blocks);
    free(list->beyond);
}

size_t block_list_missing(const struct block_list *list)
{
    size_t missing = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!list->blocks[i].is_seen && missing++ < PRINTED_MAX) {
            fprintf(stderr, "not found: %" PRIx64 " of %" PRIu64 "\n", list->blocks[i].address,
                    list->blocks[i].usable_bytes);
        }
    }
    return missing;
}

static bool is_tcache(const struct snapshot *snapshot, const struct chunk *chunk)
{
    const struct tcache_numbers *tcaches = snapshot_tcaches(snapshot);
    for (uint32_t i = 0; i < snapshot->tcache_count; i++) {
        if (tcaches[i].address == chunk->address + chunk->header_bytes) {
            return true;
        }
    }
    return false;
}

/* Since 2.43 a mapping can wait in a tcache; such a chunk counts as mmapped, and in the tcache's own sum. */
static uint64_t count_cached_mappings(const struct snapshot *snapshot)
{
    const struct tcache_numbers *tcaches = snapshot_tcaches(snapshot);
    uint64_t cached = 0;
    for (uint32_t i = 0; i < snapshot->tcache_count; i++) {
        cached += tcaches[i].tally.chunks;
    }
    return cached - snapshot->numbers.states[CHUNK_TCACHE].chunks;
}

size_t block_list_unnamed(const struct block_list *list, const struct snapshot *snapshot)
{
    size_t unnamed = 0;
    uint64_t cached_mappings = count_cached_mappings(snapshot);
    for (size_t i = 0; i < list->beyond_count; i++) {
        const struct chunk *chunk = &list->beyond[i];
        /* a static program's first blocks: copies of what the loader keeps elsewhere */
        bool is_before_main = chunk->arena == 0 && chunk->address < list->begin;
        bool is_cached = chunk->state == CHUNK_MMAPPED && cached_mappings > 0;
        cached_mappings -= is_cached ? 1 : 0;
        if (!is_before_main && !is_cached && !is_tcache(snapshot, chunk) && unnamed++ < PRINTED_MAX) {
            fprintf(stderr, "nobody's: %" PRIx64 " of %" PRIu64 " in arena %" PRIu32 "\n", chunk->address,
                    chunk->size, chunk->arena);
        }
    }
    return unnamed;
}
