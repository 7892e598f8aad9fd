/* process_json.c - see process_json.h. */
#include "encode/process_json.h"

#include <inttypes.h>

static void key(struct buffer *out, const char *name)
{
    char last = out->length ? out->data[out->length - 1] : '{';
    buffer_printf(out, "%s\"%s\":", last == '{' || last == '[' ? "" : ",", name);
}

static void number(struct buffer *out, const char *name, uint64_t value)
{
    key(out, name);
    buffer_u64(out, value);
}

static void text(struct buffer *out, const char *name, const char *value)
{
    key(out, name);
    buffer_text(out, "\"");
    buffer_json_escaped(out, value);
    buffer_text(out, "\"");
}

static void boolean(struct buffer *out, const char *name, bool value)
{
    key(out, name);
    buffer_text(out, value ? "true" : "false");
}

static void address(struct buffer *out, const char *name, uint64_t value)
{
    key(out, name);
    buffer_printf(out, "\"0x%" PRIx64 "\"", value);
}

/* A new object or list inside a list: the comma before it. */
static void open_item(struct buffer *out)
{
    buffer_text(out, out->length && out->data[out->length - 1] == '[' ? "{" : ",{");
}

static void put_states(struct buffer *out, const struct tally states[CHUNK_STATE_COUNT], bool with_mmapped)
{
    key(out, "chunks");
    buffer_text(out, "{");
    for (int state = 0; state < CHUNK_STATE_COUNT - !with_mmapped; state++)
        number(out, chunk_state_name((enum chunk_state)state), states[state].chunks);
    buffer_text(out, "}");
    key(out, "chunk_bytes");
    buffer_text(out, "{");
    for (int state = 0; state < CHUNK_STATE_COUNT - !with_mmapped; state++)
        number(out, chunk_state_name((enum chunk_state)state), states[state].bytes);
    buffer_text(out, "}");
}

static void put_identity(struct buffer *out, const struct snapshot *snapshot)
{
    number(out, "pid", (uint64_t)snapshot->pid);
    text(out, "comm", snapshot->labels.comm);
    text(out, "exe", snapshot->labels.exe);
    text(out, "allocator", snapshot->labels.allocator);
    text(out, "libc_version", snapshot->labels.libc_version);
    text(out, "found_by", found_by_name((enum found_by)snapshot->numbers.found_by));
}

static void put_histogram(struct buffer *out, const char *name, const struct histogram *histogram)
{
    key(out, name);
    buffer_text(out, "[");
    uint64_t sum = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum += histogram->counts[i];
        open_item(out);
        if (i + 1 < HISTOGRAM_BUCKETS)
            number(out, "le", histogram_bound(i));
        else
            text(out, "le", "+Inf");
        number(out, "chunks", sum);
        buffer_text(out, "}");
    }
    buffer_text(out, "]");
}

static void put_checks(struct buffer *out, const struct scan_numbers *numbers)
{
    key(out, "reconciled");
    buffer_text(out, "{");
    for (int check = 0; check < CHECK_COUNT; check++)
        if (numbers->checks[check].is_known)
            number(out, check_name((enum check)check), numbers->checks[check].is_reconciled);
    buffer_text(out, "}");
    key(out, "reconcile_difference_bytes");
    buffer_text(out, "{");
    for (int check = 0; check < CHECK_COUNT; check++)
        if (numbers->checks[check].is_known && check_has_bytes((enum check)check))
            number(out, check_name((enum check)check), numbers->checks[check].difference_bytes);
    buffer_text(out, "}");
}

static void put_residency(struct buffer *out, const struct scan_numbers *numbers)
{
    if (numbers->has_residency) {
        number(out, "resident_bytes", numbers->heaps.resident_bytes);
        number(out, "swapped_bytes", numbers->heaps.swapped_bytes);
        number(out, "free_resident_bytes", numbers->free.resident_bytes);
        number(out, "free_swapped_bytes", numbers->free.swapped_bytes);
    }
    if (numbers->has_trimmable)
        number(out, "trimmable_bytes", numbers->trimmable_bytes);
}

static void put_ratios(struct buffer *out, const struct scan_numbers *numbers)
{
    uint64_t binned = numbers_binned_bytes(numbers);
    if (!numbers->is_complete)
        return;
    number(out, "largest_free_chunk_bytes", numbers->largest_free_chunk_bytes);
    if (binned) {
        key(out, "fragmentation_ratio");
        buffer_printf(out, "%.6g", 1 - (double)numbers->largest_per_arena_sum_bytes / (double)binned);
    }
    if (numbers->system_bytes) {
        key(out, "unused_ratio");
        buffer_printf(out, "%.6g", (double)numbers_free_bytes(numbers) / (double)numbers->system_bytes);
    }
}

static void put_arena(struct buffer *out, const struct arena_numbers *arena)
{
    open_item(out);
    number(out, "arena", arena->index);
    number(out, "system_bytes", arena->system_bytes);
    number(out, "system_peak_bytes", arena->system_peak_bytes);
    number(out, "overhead_bytes", arena->overhead_bytes);
    number(out, "unread_bytes", arena->unread_bytes);
    number(out, "heaps", arena->heaps);
    if (arena->attached_threads.is_known)
        number(out, "attached_threads", arena->attached_threads.value);
    number(out, "largest_free_chunk_bytes", arena->largest_binned_bytes);
    put_states(out, arena->states, false);
    buffer_text(out, "}");
}

static void put_arenas(struct buffer *out, const struct snapshot *snapshot)
{
    key(out, "arena_list");
    buffer_text(out, "[");
    for (uint32_t i = 0; i < snapshot->arena_count; i++)
        put_arena(out, &snapshot_arenas(snapshot)[i]);
    buffer_text(out, "]");
}

static void put_timing(struct buffer *out, const struct snapshot *snapshot)
{
    text(out, "last_scan_mode", consistency_name((enum consistency)snapshot->timing.mode));
    text(out, "last_scan_why", mode_why_name((enum mode_why)snapshot->timing.why));
    key(out, "last_scan_timestamp_seconds");
    buffer_printf(out, "%.3f", (double)snapshot->timing.end_realtime_ns / 1e9);
    key(out, "last_scan_duration_seconds");
    buffer_printf(out, "%.9f", (double)snapshot->timing.duration_ns / 1e9);
    key(out, "last_scan_pause_seconds");
    buffer_printf(out, "%.9f", (double)snapshot->timing.pause_ns / 1e9);
    key(out, "last_scan_max_pause_seconds");
    buffer_printf(out, "%.9f", (double)snapshot->timing.max_pause_ns / 1e9);
}

void process_json_scan(struct buffer *out, const struct snapshot *snapshot)
{
    const struct scan_numbers *numbers = &snapshot->numbers;
    buffer_text(out, "{");
    put_identity(out, snapshot);
    put_states(out, numbers->states, true);
    number(out, "active_bytes", numbers_active_bytes(numbers));
    number(out, "free_bytes", numbers_free_bytes(numbers));
    number(out, "system_bytes", numbers->system_bytes);
    number(out, "system_peak_bytes", numbers->system_peak_bytes);
    number(out, "overhead_bytes", numbers->overhead_bytes);
    number(out, "unread_bytes", numbers->completeness.unread_bytes);
    number(out, "last_scan_complete", numbers->is_complete);
    number(out, "corrupt_chunks", numbers->completeness.corrupt_count);
    put_residency(out, numbers);
    put_ratios(out, numbers);
    number(out, "arenas", numbers->arenas);
    number(out, "heaps", numbers->heap_count);
    number(out, "tcaches", numbers->tcaches);
    number(out, "tcaches_missing", numbers->tcaches_missing);
    put_histogram(out, "chunk_size_bytes_used", &numbers->used_sizes);
    put_histogram(out, "chunk_size_bytes_free", &numbers->free_sizes);
    put_checks(out, numbers);
    if (numbers->arenas_limit.is_known)
        number(out, "arenas_limit", numbers->arenas_limit.value);
    if (numbers->has_thresholds) {
        number(out, "mmap_threshold_bytes", numbers->mmap_threshold_bytes);
        number(out, "trim_threshold_bytes", numbers->trim_threshold_bytes);
    }
    if (snapshot->start_time_ticks) { /* a core tells neither */
        number(out, "process_resident_memory_bytes", snapshot->resident_bytes);
        key(out, "process_start_time_seconds");
        buffer_printf(out, "%.2f", snapshot->start_time_seconds);
    }
    put_timing(out, snapshot);
    put_arenas(out, snapshot);
    buffer_text(out, "}\n");
}

static void put_bin(struct buffer *out, const struct bin_numbers *bin)
{
    static const char *const KINDS[] = {"fastbin", "unsorted", "small", "large"};
    open_item(out);
    number(out, "arena", bin->arena);
    text(out, "kind", KINDS[bin->kind]);
    number(out, "bin", bin->bin);
    number(out, "chunks", bin->tally.chunks);
    number(out, "bytes", bin->tally.bytes);
    number(out, "min_bytes", bin->min_bytes);
    number(out, "max_bytes", bin->max_bytes);
    buffer_text(out, "}");
}

void process_json_arenas(struct buffer *out, const struct snapshot *snapshot)
{
    buffer_text(out, "{");
    put_identity(out, snapshot);
    number(out, "last_scan_complete", snapshot->numbers.is_complete);
    number(out, "tcaches_missing", snapshot->numbers.tcaches_missing);
    put_arenas(out, snapshot);
    key(out, "heap_list");
    buffer_text(out, "[");
    for (uint32_t i = 0; i < snapshot->heap_count; i++) {
        const struct heap_numbers *heap = &snapshot_heaps(snapshot)[i];
        open_item(out);
        number(out, "arena", heap->arena);
        address(out, "start", heap->start);
        address(out, "end", heap->end);
        number(out, "bytes", heap->end - heap->start);
        buffer_text(out, "}");
    }
    buffer_text(out, "]");
    key(out, "bins");
    buffer_text(out, "[");
    for (uint32_t i = 0; i < snapshot->bin_count; i++)
        put_bin(out, &snapshot_bins(snapshot)[i]);
    buffer_text(out, "]");
    key(out, "tcache_list");
    buffer_text(out, "[");
    for (uint32_t i = 0; i < snapshot->tcache_count; i++) {
        const struct tcache_numbers *tcache = &snapshot_tcaches(snapshot)[i];
        open_item(out);
        number(out, "tid", (uint64_t)tcache->tid);
        boolean(out, "exists", tcache->address != 0);
        number(out, "chunks", tcache->tally.chunks);
        number(out, "bytes", tcache->tally.bytes);
        buffer_text(out, "}");
    }
    buffer_text(out, "]}\n");
}
