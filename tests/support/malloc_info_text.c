/*
 * malloc_info_text.c - the equations between a walk and glibc's own report.
 *
 * glibc 2.36 malloc/malloc.c __malloc_info(): a bin's sizes are size fields, whose P bit is always set, so
 * each chunk counts one byte more; "rest" counts top as one chunk, whatever its size.
 */
#include "support/malloc_info_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct sums {
    bool has_fastbins; /* up to glibc 2.42 */
    struct tally mmapped;
    struct tally fast, rest;
    uint64_t system, peak, aspace, mprotect, free_bytes, blocks, main_top;
};

static void size_line(FILE *out, const char *element, uint64_t from, uint64_t to, uint64_t total,
                      uint64_t count)
{
    fprintf(out,
            "  <%s from=\"%" PRIu64 "\" to=\"%" PRIu64 "\" total=\"%" PRIu64 "\" count=\"%" PRIu64 "\"/>\n",
            element, from, to, total, count);
}

/* Lines of one kind of an arena's lists, in the order of the lists. */
static void kind_lines(FILE *out, const struct snapshot *snapshot, uint32_t arena, enum bin_kind first,
                       enum bin_kind last)
{
    const struct bin_numbers *bins = snapshot_bins(snapshot);
    for (uint32_t i = 0; i < snapshot->bin_count; i++) {
        const struct bin_numbers *bin = &bins[i];
        if (bin->arena != arena || bin->kind < first || bin->kind > last || bin->tally.chunks == 0) {
            continue;
        }
        if (bin->kind == BIN_FAST) {
            size_line(out, "size", bin->min_bytes - 15, bin->max_bytes, bin->tally.bytes, bin->tally.chunks);
        } else {
            size_line(out, bin->kind == BIN_UNSORTED ? "unsorted" : "size", bin->min_bytes + 1,
                      bin->max_bytes + 1, bin->tally.bytes + bin->tally.chunks, bin->tally.chunks);
        }
    }
}

static void totals(FILE *out, const struct sums *sums, const struct tally *fast, const struct tally *rest)
{
    if (sums->has_fastbins)
        fprintf(out, "<total type=\"fast\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n", fast->chunks,
                fast->bytes);
    fprintf(out, "<total type=\"rest\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n", rest->chunks,
            rest->bytes);
}

static void sizes(FILE *out, uint64_t system, uint64_t peak, uint64_t aspace, uint64_t mprotect)
{
    fprintf(out, "<system type=\"current\" size=\"%" PRIu64 "\"/>\n", system);
    fprintf(out, "<system type=\"max\" size=\"%" PRIu64 "\"/>\n", peak);
    fprintf(out, "<aspace type=\"total\" size=\"%" PRIu64 "\"/>\n", aspace);
    fprintf(out, "<aspace type=\"mprotect\" size=\"%" PRIu64 "\"/>\n", mprotect);
}

static void arena_element(FILE *out, const struct snapshot *snapshot, const struct arena_numbers *arena,
                          struct sums *sums)
{
    const struct tally *fast = &arena->states[CHUNK_FASTBIN];
    const struct tally *top = &arena->states[CHUNK_TOP];
    struct tally binned = {0};
    for (int state = CHUNK_UNSORTED; state <= CHUNK_LARGE; state++) {
        binned.chunks += arena->states[state].chunks;
        binned.bytes += arena->states[state].bytes;
    }
    struct tally rest = {binned.chunks + 1, binned.bytes + binned.chunks + top->bytes};
    uint64_t aspace = arena->is_main ? arena->system_bytes : arena->heap_bytes;
    uint64_t mprotect = arena->is_main ? arena->system_bytes : arena->heap_mprotect_bytes;

    fprintf(out, "<heap nr=\"%" PRIu32 "\">\n<sizes>\n", arena->ring_position);
    kind_lines(out, snapshot, arena->index, BIN_FAST, BIN_FAST);
    kind_lines(out, snapshot, arena->index, BIN_SMALL, BIN_LARGE);
    kind_lines(out, snapshot, arena->index, BIN_UNSORTED, BIN_UNSORTED);
    fprintf(out, "</sizes>\n");
    totals(out, sums, fast, &rest);
    sizes(out, arena->system_bytes, arena->system_peak_bytes, aspace, mprotect);
    if (!arena->is_main) {
        fprintf(out, "<aspace type=\"subheaps\" size=\"%" PRIu32 "\"/>\n", arena->heaps);
    }
    fprintf(out, "</heap>\n");

    sums->fast.chunks += fast->chunks;
    sums->fast.bytes += fast->bytes;
    sums->rest.chunks += rest.chunks;
    sums->rest.bytes += rest.bytes;
    sums->system += arena->system_bytes;
    sums->peak += arena->system_peak_bytes;
    sums->aspace += aspace;
    sums->mprotect += mprotect;
    sums->free_bytes += binned.bytes + fast->bytes + top->bytes;
    sums->main_top += arena->is_main ? top->bytes : 0;
}

static const struct arena_numbers *arena_at(const struct snapshot *snapshot, uint32_t ring_position)
{
    const struct arena_numbers *arenas = snapshot_arenas(snapshot);
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        if (arenas[i].ring_position == ring_position) {
            return &arenas[i];
        }
    }
    return NULL;
}

static void mallinfo_lines(FILE *out, const struct sums *sums)
{
    fprintf(out, "arena %" PRIu64 "\nordblks %" PRIu64 "\nsmblks %" PRIu64 "\n", sums->system,
            sums->rest.chunks, sums->fast.chunks);
    fprintf(out, "hblks %" PRIu64 "\nhblkhd %" PRIu64 "\nusmblks 0\n", sums->mmapped.chunks,
            sums->mmapped.bytes);
    fprintf(out, "fsmblks %" PRIu64 "\nuordblks %" PRIu64 "\nfordblks %" PRIu64 "\nkeepcost %" PRIu64 "\n",
            sums->fast.bytes, sums->system - sums->free_bytes, sums->free_bytes, sums->main_top);
}

/* Since 2.43 each mremap adds a header's bytes to the book that no mapping has: glibc tells the book. */
static struct tally mmapped_told(const struct scan_numbers *numbers, unsigned minor)
{
    struct tally told = numbers->states[CHUNK_MMAPPED];
    if (minor >= 43 && numbers->has_thresholds) {
        told.bytes = numbers->mmapped_bytes_book;
    }
    return told;
}

char *malloc_info_text(const struct snapshot *snapshot, unsigned minor)
{
    if (minor == 0 && sscanf(snapshot->labels.libc_version, "2.%u", &minor) != 1)
        return NULL;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return NULL;
    }
    struct sums sums = {.has_fastbins = minor < 43, .mmapped = mmapped_told(&snapshot->numbers, minor)};
    fprintf(out, "<malloc version=\"1\">\n");
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        const struct arena_numbers *arena = arena_at(snapshot, i);
        if (arena != NULL) {
            arena_element(out, snapshot, arena, &sums);
        }
    }
    totals(out, &sums, &sums.fast, &sums.rest);
    fprintf(out, "<total type=\"mmap\" count=\"%" PRIu64 "\" size=\"%" PRIu64 "\"/>\n", sums.mmapped.chunks,
            sums.mmapped.bytes);
    sizes(out, sums.system, sums.peak, sums.aspace, sums.mprotect);
    fprintf(out, "</malloc>\n");
    mallinfo_lines(out, &sums);
    fclose(out);
    return text;
}
