/* slots.c - each thread's tcache: what the slot in its TLS points at. */
#include <string.h>

#include "allocator/glibc/locate.h"
#include "allocator/glibc/slot_search.h"
#include "allocator/glibc/threads.h"
#include "base/checked.h"
#include "base/reserve.h"

/* Of all threads' blocks together: a libc's has 150 bytes, a static program's what it declares. */
#define BLOCKS_BYTES_MAX (UINT64_C(16) << 20)

/*
 * The thread's tcache, 0 where it has none (NULL, or since 2.43 a pointer into the libc's own image). False:
 * its pointer leads to what is no tcache, so that nothing is known.
 */
static bool tcache_of(const struct slot_search *search, size_t thread, uint64_t *ret)
{
    const struct glibc_location *location = search->location;
    uint64_t address = slot_word(search, thread, location->tcache_slot);
    *ret = address;
    if (address == 0 || (address >= location->image_start && address < location->image_end)) {
        *ret = 0;
        return true;
    }
    return slot_is_tcache(search, address);
}

static bool read_blocks(struct slot_search *search, size_t *missing)
{
    scoped_reserved struct target_part *parts = reserve_calloc(search->count + 1, sizeof *parts);
    size_t kept = 0;
    search->blocks = reserve_calloc(search->count + 1, search->size + 8);
    if (!parts || !search->blocks)
        return false;
    for (size_t i = 0; i < search->count; i++)
        parts[i] = (struct target_part){.address = search->threads[i].tls_start,
                                        .data = search->blocks + i * search->size,
                                        .length = (uint32_t)search->size};
    target_read_parts(search->target, parts, search->count);
    /* one that ended meanwhile has no tcache any more; but its block stays mapped for the next thread */
    for (size_t i = 0; i < search->count; i++)
        if (parts[i].is_read) {
            search->threads[kept] = search->threads[i];
            memmove(search->blocks + kept * search->size, search->blocks + i * search->size, search->size);
            kept++;
        }
    *missing += search->count - kept;
    search->count = kept;
    return true;
}

static enum status fill(struct slot_search *search, struct glibc_tcaches *ret, struct error *err)
{
    struct glibc_location *location = search->location;
    ret->rows = reserve_calloc(search->count + 1, sizeof *ret->rows);
    if (!ret->rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tcaches", search->count);
    for (size_t i = 0; i < search->count; i++) {
        struct glibc_tcache row = {.tid = search->threads[i].tid};
        if (location->has_tcache_slot && !tcache_of(search, i, &row.address)) {
            ret->missing++;
            continue;
        }
        if (location->has_thread_arena_slot)
            row.thread_arena_addr = slot_word(search, i, location->thread_arena_slot);
        ret->rows[ret->count++] = row;
    }
    /* what was left out may hold the slot */
    if (search->is_ambiguous || (search->size < location->tls_size && !location->has_tcache_slot)) {
        ret->missing += ret->count;
        ret->count = 0;
    }
    return STATUS_OK;
}

enum status glibc_find_tcaches(struct target *target, const struct maps *maps,
                               struct glibc_location *location, struct allocator_cache *cache,
                               struct glibc_tcaches *ret, struct error *err)
{
    struct slot_search search = {.target = target, .maps = maps, .location = location};
    struct glibc_tcaches found = {0};
    scoped_reserved struct thread_tls *threads = NULL;
    enum status status = threads_find(target, maps, location, &threads, &search.count, &found.missing, err);
    if (status != STATUS_OK)
        return status;
    search.threads = threads;
    search.size = (size_t)min_u64(location->tls_size, BLOCKS_BYTES_MAX / (search.count + 1)) &
                  ~(size_t)(location->layout.word_bytes - 1);
    if (!read_blocks(&search, &found.missing)) {
        reserve_free(search.blocks);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the TLS of %zu threads", search.count);
    }
    slot_search_learn(&search, cache);
    status = fill(&search, &found, err);
    reserve_free(search.blocks);
    if (status == STATUS_OK)
        *ret = found;
    return status;
}
