/* process_text.c - see process_text.h. */
#include "encode/process_text.h"

#include <inttypes.h>
#include <stdio.h>

struct human {
    char text[24];
};

static struct human human_bytes(uint64_t bytes)
{
    static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    struct human human;
    double value = (double)bytes;
    unsigned unit = 0;
    while (value >= 1024 && unit < 5) {
        value /= 1024;
        unit++;
    }
    snprintf(human.text, sizeof human.text, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    return human;
}

static void line(struct buffer *out, const char *name, uint64_t chunks, uint64_t bytes, uint64_t whole)
{
    buffer_printf(out, "  %-10s %12" PRIu64 " %12s  %5.1f %%\n", name, chunks, human_bytes(bytes).text,
                  whole ? 100.0 * (double)bytes / (double)whole : 0.0);
}

static void put_head(struct buffer *out, const struct snapshot *snapshot)
{
    buffer_printf(out, "%s (pid %d), glibc %s, found by %s", snapshot->labels.comm, snapshot->pid,
                  snapshot->labels.libc_version[0] ? snapshot->labels.libc_version : "of unknown version",
                  found_by_name((enum found_by)snapshot->numbers.found_by));
    if (snapshot->start_time_ticks) /* a core does not tell */
        buffer_printf(out, "; RSS %s", human_bytes(snapshot->resident_bytes).text);
    buffer_text(out, "\n");
}

static void put_checks(struct buffer *out, const struct scan_numbers *numbers)
{
    buffer_text(out, "checks     ");
    for (int check = 0; check < CHECK_COUNT; check++) {
        const struct check_result *result = &numbers->checks[check];
        buffer_printf(out, " %s %s%s", check_name((enum check)check),
                      !result->is_known       ? "unknown"
                      : result->is_reconciled ? "ok"
                                              : "DIFFERS",
                      check + 1 < CHECK_COUNT ? "," : "\n");
    }
    for (uint64_t i = 0; i < numbers->completeness.notes_count && i < COMPLETENESS_NOTES_MAX; i++) {
        const struct completeness_note *note = &numbers->completeness.notes[i];
        buffer_printf(out, "note        0x%" PRIx64 ": %s\n", note->address,
                      note_text((enum note_kind)note->kind));
    }
}

void process_text_scan(struct buffer *out, const struct snapshot *snapshot)
{
    const struct scan_numbers *numbers = &snapshot->numbers;
    uint64_t whole = numbers->system_bytes + numbers->states[CHUNK_MMAPPED].bytes;
    put_head(out, snapshot);
    buffer_printf(out, "  %-10s %12s %12s\n", "state", "chunks", "bytes");
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        line(out, chunk_state_name((enum chunk_state)state), numbers->states[state].chunks,
             numbers->states[state].bytes, whole);
    buffer_printf(out, "  %-10s %12s %12s\n", "overhead", "", human_bytes(numbers->overhead_bytes).text);
    if (numbers->completeness.unread_bytes)
        buffer_printf(out, "  %-10s %12s %12s  (counts are lower bounds)\n", "unread", "",
                      human_bytes(numbers->completeness.unread_bytes).text);
    buffer_printf(out, "active      %s in use by the program\n",
                  human_bytes(numbers_active_bytes(numbers)).text);
    buffer_printf(out, "free        %s held by the allocator", human_bytes(numbers_free_bytes(numbers)).text);
    if (numbers->has_residency)
        buffer_printf(out, ", %s of it in memory", human_bytes(numbers->free.resident_bytes).text);
    buffer_text(out, "\n");
    if (numbers->has_trimmable)
        buffer_printf(out, "trimmable   %s: what malloc_trim(0) would give back\n",
                      human_bytes(numbers->trimmable_bytes).text);
    uint64_t binned = numbers_binned_bytes(numbers);
    if (binned && numbers->is_complete)
        buffer_printf(out, "fragmented  %.2f: largest free chunk %s of %s binned\n",
                      1 - (double)numbers->largest_per_arena_sum_bytes / (double)binned,
                      human_bytes(numbers->largest_free_chunk_bytes).text, human_bytes(binned).text);
    buffer_printf(
        out, "arenas      %" PRIu64 " with %" PRIu64 " heaps; %" PRIu64 " tcaches, %" PRIu64 " not found\n",
        numbers->arenas, numbers->heap_count, numbers->tcaches, numbers->tcaches_missing);
    put_checks(out, numbers);
    buffer_printf(out, "scan        %s, %.1f ms, stopped for %.1f ms, %s read\n",
                  consistency_name((enum consistency)snapshot->timing.mode),
                  (double)snapshot->timing.duration_ns / 1e6, (double)snapshot->timing.pause_ns / 1e6,
                  human_bytes(numbers->read_bytes).text);
}

void process_text_arenas(struct buffer *out, const struct snapshot *snapshot)
{
    put_head(out, snapshot);
    buffer_printf(out, "%5s %12s %12s %12s %12s %6s %8s\n", "arena", "system", "in use", "free", "overhead",
                  "heaps", "threads");
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        const struct arena_numbers *arena = &snapshot_arenas(snapshot)[i];
        uint64_t free_bytes = 0;
        for (int state = CHUNK_TCACHE; state <= CHUNK_TOP; state++)
            free_bytes += arena->states[state].bytes;
        buffer_printf(out, "%5u %12s %12s %12s %12s %6u %8" PRIu64 "\n", arena->index,
                      human_bytes(arena->system_bytes).text,
                      human_bytes(arena->states[CHUNK_IN_USE].bytes).text, human_bytes(free_bytes).text,
                      human_bytes(arena->overhead_bytes).text, arena->heaps, arena->attached_threads.value);
    }
    buffer_printf(out, "\n%5s %-9s %4s %10s %12s %12s %12s\n", "arena", "list", "bin", "chunks", "bytes",
                  "smallest", "largest");
    static const char *const KINDS[] = {"fastbin", "unsorted", "small", "large"};
    for (uint32_t i = 0; i < snapshot->bin_count; i++) {
        const struct bin_numbers *bin = &snapshot_bins(snapshot)[i];
        buffer_printf(out, "%5u %-9s %4u %10" PRIu64 " %12s %12s %12s\n", bin->arena, KINDS[bin->kind],
                      bin->bin, bin->tally.chunks, human_bytes(bin->tally.bytes).text,
                      human_bytes(bin->min_bytes).text, human_bytes(bin->max_bytes).text);
    }
    buffer_printf(out, "\n%8s %10s %12s\n", "tcache of", "chunks", "bytes");
    for (uint32_t i = 0; i < snapshot->tcache_count; i++) {
        const struct tcache_numbers *tcache = &snapshot_tcaches(snapshot)[i];
        buffer_printf(out, "%9d %10" PRIu64 " %12s\n", tcache->tid, tcache->tally.chunks,
                      human_bytes(tcache->tally.bytes).text);
    }
}
