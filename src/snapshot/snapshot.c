/*
 * snapshot.c - the block's memory, its arrays, and the sums that several readers want.
 */
#include "snapshot/snapshot.h"

#include <stdlib.h>

struct snapshot *snapshot_new(uint32_t arenas, uint32_t bins, uint32_t heaps, uint32_t tcaches)
{
    /* Four products of 32-bit counts and small sizes: 64 bits hold their sum. */
    uint64_t bytes = sizeof(struct snapshot) + (uint64_t)arenas * sizeof(struct arena_numbers) +
                     (uint64_t)bins * sizeof(struct bin_numbers) +
                     (uint64_t)heaps * sizeof(struct heap_numbers) +
                     (uint64_t)tcaches * sizeof(struct tcache_numbers);
    struct snapshot *snapshot = calloc(1, bytes);
    if (!snapshot)
        return NULL;
    snapshot->total_bytes = bytes;
    snapshot->references = 1;
    snapshot->arena_count = arenas;
    snapshot->bin_count = bins;
    snapshot->heap_count = heaps;
    snapshot->tcache_count = tcaches;
    return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    if (snapshot)
        __atomic_add_fetch(&snapshot->references, 1, __ATOMIC_RELAXED);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot && __atomic_sub_fetch(&snapshot->references, 1, __ATOMIC_ACQ_REL) == 0)
        free(snapshot);
}

struct arena_numbers *snapshot_arenas(const struct snapshot *snapshot)
{
    return (struct arena_numbers *)(uintptr_t)(snapshot + 1);
}

struct bin_numbers *snapshot_bins(const struct snapshot *snapshot)
{
    return (struct bin_numbers *)(snapshot_arenas(snapshot) + snapshot->arena_count);
}

struct heap_numbers *snapshot_heaps(const struct snapshot *snapshot)
{
    return (struct heap_numbers *)(snapshot_bins(snapshot) + snapshot->bin_count);
}

struct tcache_numbers *snapshot_tcaches(const struct snapshot *snapshot)
{
    return (struct tcache_numbers *)(snapshot_heaps(snapshot) + snapshot->heap_count);
}

uint64_t histogram_bound(unsigned i)
{
    return i < HISTOGRAM_BUCKETS - 1 ? UINT64_C(32) << (2 * i) : UINT64_MAX;
}

uint64_t numbers_active_bytes(const struct scan_numbers *numbers)
{
    return numbers->states[CHUNK_IN_USE].bytes + numbers->states[CHUNK_MMAPPED].bytes;
}

uint64_t numbers_free_bytes(const struct scan_numbers *numbers)
{
    uint64_t bytes = 0;
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        if (chunk_state_is_free(state))
            bytes += numbers->states[state].bytes;
    return bytes;
}

uint64_t numbers_binned_bytes(const struct scan_numbers *numbers)
{
    return numbers->states[CHUNK_UNSORTED].bytes + numbers->states[CHUNK_SMALL].bytes +
           numbers->states[CHUNK_LARGE].bytes;
}
