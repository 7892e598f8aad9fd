/* result.c - see result.h. */
#include "allocator/glibc/result.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

static uint32_t count_bins(const struct pass *pass)
{
    uint32_t count = 0;
    for (size_t h = 0; h < pass->heap_count; h++)
        for (size_t i = 0; i < pass->heaps[h].arena_count; i++) {
            const struct glibc_arena *arena = &pass->heaps[h].arenas[i];
            for (unsigned bin = 0; bin < GLIBC_FASTBIN_MAX; bin++)
                count += arena->fast[bin].tally.chunks != 0;
            for (unsigned bin = 1; bin < GLIBC_BIN_COUNT; bin++)
                count += arena->bins[bin].tally.chunks != 0;
        }
    return count;
}

static void fill_arena(const struct pass *pass, const struct glibc_arena *arena, struct arena_numbers *ret)
{
    *ret = (struct arena_numbers){
        .address = arena->addr,
        .index = arena->index,
        .ring_position = arena->ring_position,
        .heaps = arena->heaps,
        .is_main = arena->is_main,
        .attached_threads = arena->attached_threads,
        .system_bytes = arena->system_bytes,
        .system_peak_bytes = arena->system_peak_bytes,
        .heap_bytes = arena->heap_bytes,
        .heap_mprotect_bytes = arena->heap_mprotect_bytes,
        .overhead_bytes = arena->overhead_bytes,
        .unread_bytes = arena->unread_bytes,
        .largest_binned_bytes = pass->totals.largest_binned[arena->index],
        .free_resident_bytes = pass->residency.free_resident_bytes[arena->index],
    };
    memcpy(ret->states, pass->totals.arenas[arena->index], sizeof ret->states);
}

static void append_bin(struct bin_numbers **at, const struct glibc_arena *arena, enum bin_kind kind,
                       unsigned bin, const struct bin_sums *sums)
{
    if (sums->tally.chunks == 0)
        return;
    *(*at)++ = (struct bin_numbers){.arena = arena->index,
                                    .kind = (uint16_t)kind,
                                    .bin = (uint16_t)bin,
                                    .tally = sums->tally,
                                    .min_bytes = sums->min_bytes,
                                    .max_bytes = sums->max_bytes};
}

static void append_bins(const struct glibc_heap *heap, const struct glibc_arena *arena,
                        struct bin_numbers **at)
{
    for (unsigned bin = 0; bin < GLIBC_FASTBIN_MAX; bin++)
        append_bin(at, arena, BIN_FAST, bin, &arena->fast[bin]);
    append_bin(at, arena, BIN_UNSORTED, GLIBC_UNSORTED, &arena->bins[GLIBC_UNSORTED]);
    for (unsigned bin = 2; bin < GLIBC_BIN_COUNT; bin++)
        append_bin(at, arena,
                   layout_is_small(heap->layout, arena->bins[bin].min_bytes) ? BIN_SMALL : BIN_LARGE, bin,
                   &arena->bins[bin]);
}

/* The arrays behind the block: arenas by index, the others in the order of the arenas. */
static void fill_arrays(const struct pass *pass, struct snapshot *snapshot)
{
    struct bin_numbers *bin = snapshot_bins(snapshot);
    struct heap_numbers *segment = snapshot_heaps(snapshot);
    struct tcache_numbers *tcache = snapshot_tcaches(snapshot);
    for (size_t h = 0; h < pass->heap_count; h++) {
        const struct glibc_heap *heap = &pass->heaps[h];
        for (size_t i = 0; i < heap->arena_count; i++) {
            /* by age: main, then from the end of the ring */
            const struct glibc_arena *arena = &heap->arenas[i == 0 ? 0 : heap->arena_count - i];
            fill_arena(pass, arena, &snapshot_arenas(snapshot)[arena->index]);
            if (snapshot->bin_count)
                append_bins(heap, arena, &bin);
            for (size_t s = 0; snapshot->heap_count && s < heap->segment_count; s++)
                if (heap->segments[s].arena == arena->ring_position)
                    *segment++ = (struct heap_numbers){
                        .start = heap->segments[s].base, .end = heap->segments[s].end, .arena = arena->index};
        }
        if (snapshot->tcache_count)
            memcpy(tcache, heap->tcache_numbers, heap->tcaches.count * sizeof *tcache);
        tcache += heap->tcaches.count;
    }
}

static void add_completeness(struct completeness *sum, const struct completeness *one)
{
    sum->corrupt_count += one->corrupt_count;
    sum->resync_count += one->resync_count;
    for (uint64_t i = 0; i < one->notes_count; i++) {
        if (i < COMPLETENESS_NOTES_MAX)
            completeness_note(sum, one->notes[i].kind, one->notes[i].address, one->notes[i].arena);
        else
            sum->notes_count++;
    }
}

static void add_heap(const struct glibc_heap *heap, struct scan_numbers *numbers)
{
    numbers->arenas += heap->arena_count;
    numbers->tcaches_missing += heap->tcaches.missing;
    numbers->orphans += heap->orphans;
    for (size_t i = 0; i < heap->tcaches.count; i++)
        numbers->tcaches += heap->tcaches.rows[i].address != 0;
    for (size_t i = 0; i < heap->arena_count; i++) {
        numbers->system_bytes += heap->arenas[i].system_bytes;
        numbers->system_peak_bytes += heap->arenas[i].system_peak_bytes;
        numbers->overhead_bytes += heap->arenas[i].overhead_bytes;
        numbers->completeness.unread_bytes += heap->arenas[i].unread_bytes;
        numbers->heap_count += heap->arenas[i].heaps;
    }
    add_completeness(&numbers->completeness, &heap->completeness);
}

static void fill_states(const struct pass *pass, struct scan_numbers *numbers)
{
    const struct totals *totals = &pass->totals;
    for (uint32_t arena = 0; arena < totals->arena_count; arena++) {
        for (int state = 0; state < CHUNK_STATE_COUNT; state++) {
            numbers->states[state].chunks += totals->arenas[arena][state].chunks;
            numbers->states[state].bytes += totals->arenas[arena][state].bytes;
        }
        numbers->largest_per_arena_sum_bytes += totals->largest_binned[arena];
        numbers->largest_free_chunk_bytes =
            max_u64(numbers->largest_free_chunk_bytes, totals->largest_binned[arena]);
    }
    numbers->states[CHUNK_MMAPPED] = totals->mmapped;
    numbers->has_histogram = true;
    numbers->used_sizes = totals->used;
    numbers->free_sizes = totals->free;
}

static void fill_residency(const struct pass *pass, struct scan_numbers *numbers)
{
    if (!pass->request->want_residency || !pass->residency_pages.is_known)
        return;
    numbers->has_residency = true;
    numbers->has_trimmable = numbers->is_complete;
    numbers->heaps.resident_bytes = pass->segments.resident_bytes + pass->residency.mmapped.resident_bytes;
    numbers->heaps.swapped_bytes = pass->segments.swapped_bytes + pass->residency.mmapped.swapped_bytes;
    numbers->free = pass->residency.free;
    numbers->trimmable_bytes = pass->residency.trimmable_bytes + pass->trimmable_top_bytes;
}

static void fill_par(const struct glibc_par *par, struct scan_numbers *numbers)
{
    if (!par->is_known)
        return;
    numbers->has_thresholds = true;
    numbers->has_fixed_thresholds = par->has_fixed_thresholds;
    numbers->mmap_threshold_bytes = par->mmap_threshold;
    numbers->trim_threshold_bytes = par->trim_threshold;
    numbers->mmapped_count_book = par->n_mmaps;
    numbers->mmapped_bytes_book = par->mmapped_mem;
    numbers->arenas_limit = (struct optional_u64){.is_known = par->arena_max != 0, .value = par->arena_max};
}

static void fill_labels(const struct glibc_location *location, struct snapshot *snapshot)
{
    snprintf(snapshot->labels.allocator, sizeof snapshot->labels.allocator, "glibc");
    snprintf(snapshot->labels.libc_version, sizeof snapshot->labels.libc_version, "%s", location->version);
    snapshot->numbers.found_by = location->found_by;
}

struct snapshot *result_build(const struct pass *pass, const struct glibc_locations *locations)
{
    uint32_t segments = 0, tcaches = 0;
    for (size_t i = 0; i < pass->heap_count; i++) {
        segments += (uint32_t)pass->heaps[i].segment_count;
        tcaches += (uint32_t)pass->heaps[i].tcaches.count;
    }
    bool details = pass->request->want_details;
    struct snapshot *snapshot = snapshot_new(pass->arena_count, details ? count_bins(pass) : 0,
                                             details ? segments : 0, details ? tcaches : 0);
    if (!snapshot)
        return NULL;
    struct scan_numbers *numbers = &snapshot->numbers;
    for (size_t i = 0; i < pass->heap_count; i++)
        add_heap(&pass->heaps[i], numbers);
    numbers->is_complete = numbers->completeness.unread_bytes == 0;
    for (size_t i = 0; i < pass->heap_count; i++)
        numbers->is_complete = numbers->is_complete && !pass->heaps[i].is_part_unread;
    for (size_t i = 0; i < pass->heap_count; i++)
        for (size_t j = 0; j < pass->heaps[i].arena_count; j++)
            numbers->is_complete = numbers->is_complete && !pass->heaps[i].arenas[j].is_lost;
    fill_states(pass, numbers);
    fill_residency(pass, numbers);
    fill_par(&pass->heaps[0].par, numbers);
    memcpy(numbers->checks, pass->checks, sizeof numbers->checks);
    fill_arrays(pass, snapshot);
    fill_labels(&locations->rows[0], snapshot);
    return snapshot;
}

bool result_is_reconciled(const struct scan_numbers *numbers)
{
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        if (!numbers->checks[check].is_reconciled)
            return false;
    return true;
}

struct snapshot *result_cold(const struct glibc_location *location)
{
    struct snapshot *snapshot = snapshot_new(1, 0, 0, 0);
    if (!snapshot)
        return NULL;
    snapshot_arenas(snapshot)[0] =
        (struct arena_numbers){.address = location->main_arena_addr, .is_main = true};
    snapshot->numbers.arenas = 1;
    snapshot->numbers.is_complete = true;
    snapshot->numbers.has_histogram = true;
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        snapshot->numbers.checks[check] = (struct check_result){.is_known = true, .is_reconciled = true};
    fill_labels(location, snapshot);
    return snapshot;
}
