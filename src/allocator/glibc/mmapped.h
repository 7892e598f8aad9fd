/*
 * mmapped.h - find the chunks that are mappings of their own (malloc.c, sysmalloc_mmap).
 *
 * glibc keeps no list of them, only their number and bytes; the kernel merges neighbours, so that one mapping
 * can hold many. Each page boundary of the anonymous mappings is tried; a chunk found is stepped over.
 */
#ifndef ALLOCATOR_GLIBC_MMAPPED_H
#define ALLOCATOR_GLIBC_MMAPPED_H

#include "allocator/glibc/heap.h"
#include "model/chunk.h"

#define MMAPPED_BATCH 256u

/** A search over rising addresses. It ends early where glibc's own count and bytes are reached together. */
struct mmapped_search {
    struct glibc_heap *heap;
    uint64_t wanted_chunks, wanted_bytes;
    struct tally found;
    bool is_unread; /* of a page that is there a header could not be read */
    void (*emit)(void *context, const struct chunk *chunk);
    void *context;
};

/** Search the anonymous, writable mappings in [@from, @to), which holds no arena's memory. */
void mmapped_find(struct mmapped_search *search, uint64_t from, uint64_t to);

#endif
