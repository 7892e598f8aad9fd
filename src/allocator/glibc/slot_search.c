/*
 * slot_search.c - see slot_search.h. The slot is one offset in PT_TLS, the same in all threads and processes
 * of a libc. Up to 2.42 it is the one word that is 0 or a sound tcache in every thread and sound in one;
 * from 2.43 the TLS image itself tells, since the word begins by pointing at a dummy of zeros in read-only
 * data.
 */
#include "allocator/glibc/slot_search.h"

#include "base/checked.h"

/* a word that is something else in more threads than this is no slot: one may be caught while it changes */
#define UNSOUND_MAX 8u
/* threads that are asked whether a slot that was told is right */
#define CONFIRM_THREADS 64u
/* the chunk of a tcache may be this much larger than its struct needs */
#define CHUNK_SPARE 0x20u

bool slot_is_tcache(const struct slot_search *search, uint64_t address)
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

static bool is_arena(const struct slot_search *search, uint64_t value);

/* How the word at @at of each thread's TLS looks: 0, what it is asked to be, or anything else. */
struct vote {
    size_t empty, sound, unsound;
};

static struct vote vote_on(const struct slot_search *search, size_t at, size_t threads_max,
                           bool (*is_sound)(const struct slot_search *search, uint64_t value))
{
    struct vote vote = {0};
    for (size_t i = 0; i < search->count && i < threads_max; i++) {
        uint64_t value = slot_word(search, i, at);
        if (value == 0)
            vote.empty++;
        else if (is_sound(search, value))
            vote.sound++;
        else if (++vote.unsound > UNSOUND_MAX)
            break; /* it is something else */
    }
    return vote;
}

static bool learn_tcache_by_vote(struct slot_search *search)
{
    unsigned word = search->location->layout.word_bytes, candidates = 0, near = 0;
    for (size_t at = 0; at + word <= search->size; at += word) {
        struct vote vote = vote_on(search, at, SIZE_MAX, slot_is_tcache);
        near += vote.sound > 0;
        if (vote.sound == 0 || vote.unsound > 0)
            continue;
        candidates++;
        search->location->tcache_slot = at;
    }
    /* none that comes near: no thread has one; none or several of those that do: which is it? */
    search->is_ambiguous = candidates != 1 && near > 0;
    return candidates == 1;
}

/* A slot that another process taught, or a file named: what it leads to here must be what it is said to be.
 */
static bool is_within_block(const struct slot_search *search, uint64_t slot)
{
    uint64_t end;
    return checked_add(slot, search->location->layout.word_bytes, &end) && end <= search->size;
}

static bool is_slot_confirmed(const struct slot_search *search, uint64_t slot,
                              bool (*is_sound)(const struct slot_search *search, uint64_t value))
{
    if (!is_within_block(search, slot))
        return false;
    struct vote vote = vote_on(search, (size_t)slot, CONFIRM_THREADS, is_sound);
    return vote.sound > vote.unsound;
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
    search->is_ambiguous = candidates != 1;
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
        struct vote vote = vote_on(search, at, SIZE_MAX, is_arena);
        if (vote.sound == 0 || vote.unsound > 0)
            continue;
        candidates++;
        search->location->thread_arena_slot = at;
    }
    return candidates == 1;
}

/* Keep what was learnt for the next process of this libc. */
static void remember(const struct glibc_location *location, struct allocator_cache *cache)
{
    struct cache_entry *entry = cache_get(cache, &location->key);
    if (!entry)
        return;
    entry->has_tcache_slot = location->has_tcache_slot;
    entry->tcache_slot = location->tcache_slot;
    entry->has_thread_arena_slot = location->has_thread_arena_slot;
    entry->thread_arena_slot = location->thread_arena_slot;
}

static bool learn_tcache(struct slot_search *search)
{
    const struct glibc_layout *layout = &search->location->layout;
    if (layout->tcache.counts_are_free_slots && layout->version >= 43)
        return learn_tcache_by_image(search);
    return learn_tcache_by_vote(search);
}

void slot_search_learn(struct slot_search *search, struct allocator_cache *cache)
{
    struct glibc_location *location = search->location;
    const struct glibc_location told = *location;
    bool is_new = false;
    if (!told.has_tcache_slot || !is_slot_confirmed(search, told.tcache_slot, slot_is_tcache)) {
        location->has_tcache_slot = learn_tcache(search);
        is_new = location->has_tcache_slot;
        if (!is_new && !search->is_ambiguous && told.has_tcache_slot &&
            is_within_block(search, told.tcache_slot) &&
            vote_on(search, (size_t)told.tcache_slot, SIZE_MAX, slot_is_tcache).unsound == 0) {
            location->has_tcache_slot = true;
            location->tcache_slot = told.tcache_slot;
        }
    }
    if (!told.has_thread_arena_slot || !is_slot_confirmed(search, told.thread_arena_slot, is_arena)) {
        location->has_thread_arena_slot = learn_thread_arena(search);
        is_new = is_new || location->has_thread_arena_slot;
    }
    if (is_new)
        remember(location, cache);
}
