/* slot_search.h - which words of a libc's TLS lead to a thread's tcache and arena; inside slots.c. */
#ifndef ALLOCATOR_GLIBC_SLOT_SEARCH_H
#define ALLOCATOR_GLIBC_SLOT_SEARCH_H

#include <string.h>

#include "allocator/cache.h"
#include "allocator/glibc/locate.h"
#include "allocator/glibc/threads.h"

/** The TLS blocks of all threads of one libc, and what they are searched for. */
struct slot_search {
    struct target *target;
    const struct maps *maps;
    struct glibc_location *location;
    struct thread_tls *threads;
    size_t count;
    uint8_t *blocks; /* count times tls_size */
    size_t size;
    bool is_ambiguous; /* there are tcaches, and which word leads to them is not clear: none is known */
};

/** The word at @at of a thread's block; @at and a word lie inside it. */
static inline uint64_t slot_word(const struct slot_search *search, size_t thread, size_t at)
{
    uint64_t word = 0;
    memcpy(&word, search->blocks + thread * search->size + at, search->location->layout.word_bytes);
    return word;
}

/** Whether a tcache struct is at @address: its chunk has its size, and its entries are chunks or empty. */
bool slot_is_tcache(const struct slot_search *search, uint64_t address);

/**
 * The slots as this process shows them, into @search->location; where it shows none (no thread has a tcache
 * yet), as they were told by @cache or symbols. One that was told and leads to what is none of its kind is
 * not believed. What is new goes into @cache.
 */
void slot_search_learn(struct slot_search *search, struct allocator_cache *cache);

#endif
