/*
 * slots.c - each thread's tcache: which word of the libc's TLS points at it, and what it points at.
 *
 * The slot is one offset in PT_TLS, the same in all threads and processes of a libc. It is learnt once: up to
 * 2.42 it is the one word that is 0 or a sound tcache in every thread and sound in one; from 2.43 the TLS
 * image itself tells, since the word begins by pointing at a dummy of zeros in read-only data.
 */
#include <stdlib.h>
#include <string.h>

#include "allocator/cache.h"
#include "allocator/glibc/elf_image.h"
#include "allocator/glibc/locate.h"
#include "allocator/glibc/threads.h"
#include "base/checked.h"
#include "base/cleanup.h"

#define TLS_MAX 4096u
/* the chunk of a tcache may be this much larger than its struct needs */
#define CHUNK_SPARE 0x20u

struct slot_search {
    struct target *target;
    const struct maps *maps;
    struct glibc_location *location;
    struct thread_tls *threads;
    size_t count;
    uint8_t *blocks; /* count times tls_size */
    size_t size;
    bool is_ambiguous; /* several words could be the slot: no tcache is known */
};

static uint64_t word_of(const struct slot_search *search, size_t thread, size_t at)
{
    uint64_t word = 0;
    memcpy(&word, search->blocks + thread * search->size + at, search->location->layout.word_bytes);
    return word;
}

/* Whether a tcache struct is at @address: its chunk has its size, and its entries are chunks or empty. */
static bool is_tcache(const struct slot_search *search, uint64_t address)
{
    const struct glibc_layout *layout = &search->location->layout;
    const struct tcache_layout *tcache = &layout->tcache;
    unsigned word = layout->word_bytes;
    uint8_t data[1024];
    uint64_t field;
    if (address == 0 || !is_aligned(address, layout->alignment) || (size_t)tcache->size > sizeof data ||
        !maps_is_writable(search->maps, address, (uint64_t)tcache->size) ||
        target_read_word(search->target, address - word, &field) != STATUS_OK)
        return false;
    uint64_t size = field & ~UINT64_C(7),
             nominal = align_up((uint64_t)tcache->size + word, layout->alignment);
    if ((field & 2) || size < nominal || size > nominal + CHUNK_SPARE ||
        target_read_exact(search->target, address, data, (size_t)tcache->size) != STATUS_OK)
        return false;
    for (unsigned bin = 0; bin < tcache->bins; bin++) {
        uint64_t entry = 0;
        uint16_t count = 0;
        memcpy(&entry, data + tcache->entries + bin * word, word);
        memcpy(&count, data + tcache->counts + bin * tcache->count_bytes, tcache->count_bytes);
        if (!is_aligned(entry, layout->alignment) || (entry && !maps_is_writable(search->maps, entry, word)))
            return false;
        /* the owner changes list and count one after the other: a difference of one is no contradiction */
        if (!tcache->counts_are_free_slots && entry == 0 && count > 1)
            return false;
    }
    return true;
}

static bool learn_tcache_by_vote(struct slot_search *search)
{
    unsigned word = search->location->layout.word_bytes, candidates = 0;
    for (size_t at = 0; at + word <= search->size; at += word) {
        size_t sound = 0, empty = 0;
        for (size_t i = 0; i < search->count; i++) {
            uint64_t value = word_of(search, i, at);
            empty += value == 0;
            sound += value != 0 && is_tcache(search, value);
        }
        if (sound == 0 || sound + empty != search->count)
            continue;
        candidates++;
        search->location->tcache_slot = at;
    }
    /* no candidate: no thread has one; several: which is it? */
    search->is_ambiguous = candidates > 1;
    return candidates == 1;
}

static bool is_zero_dummy(const struct slot_search *search, uint64_t address)
{
    uint8_t data[1024];
    size_t size = (size_t)search->location->layout.tcache.size;
    const struct mapping *mapping = maps_find(search->maps, address);
    if (!mapping || mapping->is_writable || size > sizeof data ||
        target_read_exact(search->target, address, data, size) != STATUS_OK)
        return false;
    for (size_t i = 0; i < size; i++)
        if (data[i])
            return false;
    return true;
}

static bool learn_tcache_by_image(struct slot_search *search)
{
    const struct glibc_location *location = search->location;
    unsigned word = location->layout.word_bytes, candidates = 0;
    for (uint64_t at = 0; at + word <= search->size; at += word) {
        uint64_t value;
        if (target_read_word(search->target, location->bias + location->tls_start + at, &value) != STATUS_OK)
            break;
        if (value < location->image_start || value >= location->image_end || !is_zero_dummy(search, value))
            continue;
        candidates++;
        search->location->tcache_slot = at;
    }
    return candidates == 1;
}

static bool is_arena(const struct slot_search *search, uint64_t value)
{
    const struct glibc_location *location = search->location;
    const struct glibc_layout *layout = &location->layout;
    uint64_t owner;
    if (value == location->main_arena_addr)
        return true;
    uint64_t base = align_down(value, layout->heap_max_bytes);
    return value - base == (uint64_t)layout->heap.size &&
           target_read_word(search->target, base, &owner) == STATUS_OK && owner == value;
}

static bool learn_thread_arena(struct slot_search *search)
{
    unsigned word = search->location->layout.word_bytes, candidates = 0;
    for (size_t at = 0; at + word <= search->size; at += word) {
        size_t sound = 0, empty = 0;
        for (size_t i = 0; i < search->count; i++) {
            uint64_t value = word_of(search, i, at);
            empty += value == 0;
            sound += value != 0 && is_arena(search, value);
        }
        if (sound == 0 || sound + empty != search->count)
            continue;
        candidates++;
        search->location->thread_arena_slot = at;
    }
    return candidates == 1;
}

/* Keep what was learnt for the next process of this libc. */
static void remember(const struct glibc_location *location, struct allocator_cache *cache)
{
    struct cache_entry *entry = cache_get(cache, location->build_id, location->build_id_length);
    if (!entry)
        return;
    entry->has_tcache_slot = location->has_tcache_slot;
    entry->tcache_slot = location->tcache_slot;
    entry->has_thread_arena_slot = location->has_thread_arena_slot;
    entry->thread_arena_slot = location->thread_arena_slot;
}

static void learn(struct slot_search *search, struct allocator_cache *cache)
{
    struct glibc_location *location = search->location;
    if (location->has_tcache_slot && location->has_thread_arena_slot)
        return;
    if (!location->has_tcache_slot)
        location->has_tcache_slot =
            location->layout.tcache.counts_are_free_slots && location->layout.version >= 43
                ? learn_tcache_by_image(search)
                : learn_tcache_by_vote(search);
    if (!location->has_thread_arena_slot)
        location->has_thread_arena_slot = learn_thread_arena(search);
    remember(location, cache);
}

/*
 * The thread's tcache, 0 where it has none (NULL, or since 2.43 a pointer into the libc's own image). False:
 * its pointer leads to what is no tcache, so that nothing is known.
 */
static bool tcache_of(const struct slot_search *search, size_t thread, uint64_t *ret)
{
    const struct glibc_location *location = search->location;
    uint64_t address = word_of(search, thread, location->tcache_slot);
    *ret = address;
    if (address == 0 || (address >= location->image_start && address < location->image_end)) {
        *ret = 0;
        return true;
    }
    return is_tcache(search, address);
}

static bool read_blocks(struct slot_search *search)
{
    scoped_free struct target_part *parts = calloc(search->count + 1, sizeof *parts);
    size_t kept = 0;
    search->blocks = calloc(search->count + 1, search->size + 8);
    if (!parts || !search->blocks)
        return false;
    for (size_t i = 0; i < search->count; i++)
        parts[i] = (struct target_part){.address = search->threads[i].tls_start,
                                        .data = search->blocks + i * search->size,
                                        .length = (uint32_t)search->size};
    target_read_parts(search->target, parts, search->count);
    /* a thread that ended meanwhile has no tcache any more */
    for (size_t i = 0; i < search->count; i++)
        if (parts[i].is_read) {
            search->threads[kept] = search->threads[i];
            memmove(search->blocks + kept * search->size, search->blocks + i * search->size, search->size);
            kept++;
        }
    search->count = kept;
    return true;
}

static enum status fill(struct slot_search *search, struct glibc_tcaches *ret, struct error *err)
{
    struct glibc_location *location = search->location;
    ret->rows = calloc(search->count + 1, sizeof *ret->rows);
    if (!ret->rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tcaches", search->count);
    for (size_t i = 0; i < search->count; i++) {
        struct glibc_tcache row = {.tid = search->threads[i].tid};
        if (location->has_tcache_slot && !tcache_of(search, i, &row.address)) {
            ret->missing++;
            continue;
        }
        if (location->has_thread_arena_slot)
            row.thread_arena_addr = word_of(search, i, location->thread_arena_slot);
        ret->rows[ret->count++] = row;
    }
    if (search->is_ambiguous) {
        ret->missing += ret->count;
        ret->count = 0;
    }
    return STATUS_OK;
}

enum status glibc_find_tcaches(struct target *target, const struct maps *maps,
                               struct glibc_location *location, struct allocator_cache *cache,
                               struct glibc_tcaches *ret, struct error *err)
{
    struct slot_search search = {.target = target,
                                 .maps = maps,
                                 .location = location,
                                 .size = (size_t)min_u64(location->tls_size, TLS_MAX) & ~(size_t)7};
    struct glibc_tcaches found = {0};
    scoped_free struct thread_tls *threads = NULL;
    enum status status = threads_find(target, maps, location, &threads, &search.count, &found.missing, err);
    if (status != STATUS_OK)
        return status;
    search.threads = threads;
    if (!read_blocks(&search)) {
        free(search.blocks);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the TLS of %zu threads", search.count);
    }
    learn(&search, cache);
    status = fill(&search, &found, err);
    free(search.blocks);
    if (status == STATUS_OK)
        *ret = found;
    return status;
}
