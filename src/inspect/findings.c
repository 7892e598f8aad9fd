/* findings.c - see findings.h. One function a finding; those that do not matter here are left out. */
#include "inspect/findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "encode/report.h"

/* Smaller ones are noise, unless they are a twentieth of what malloc has. */
#define BYTES_MIN (UINT64_C(1) << 20)
#define SHARE_MIN 20u
#define SHARE_BYTES_MIN (UINT64_C(64) << 10)
#define FRAGMENTED 0.5
#define MMAP_THRESHOLD_DEFAULT (UINT64_C(128) * 1024)

struct human human_bytes(uint64_t bytes)
{
    struct human human;
    report_human_bytes(bytes, human.text);
    return human;
}

static void add(struct findings *all, const char *code, uint64_t bytes, const char *remedy,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add(struct findings *all, const char *code, uint64_t bytes, const char *remedy,
                const char *format, ...)
{
    va_list args;
    if (all->count == FINDINGS_MAX)
        return;
    struct finding *finding = &all->rows[all->count++];
    *finding = (struct finding){.code = code, .bytes = bytes, .remedy = remedy};
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}

static bool matters(const struct findings *all, uint64_t bytes)
{
    return bytes >= BYTES_MIN || (bytes >= SHARE_BYTES_MIN && bytes >= all->held_bytes / SHARE_MIN);
}

static void find_in_use(struct findings *all)
{
    uint64_t active = numbers_active_bytes(all->numbers);
    uint64_t chunks = all->numbers->states[CHUNK_IN_USE].chunks + all->numbers->states[CHUNK_MMAPPED].chunks;
    if (active)
        add(all, "in_use", active,
            "Look for what allocates: `sizes` shows which sizes there are most of, `strings` and `search` "
            "what is in them.",
            "The program itself holds %s in %" PRIu64
            " chunks that it has not freed. No setting of malloc gives "
            "these back.",
            human_bytes(active).text, chunks);
}

static void find_trimmable(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    if (numbers->has_trimmable && matters(all, numbers->trimmable_bytes))
        add(all, "trimmable", numbers->trimmable_bytes,
            "Call malloc_trim(0) in the program at a quiet moment, or regularly.",
            "malloc_trim(0) would give at least %s back to the system at once: whole pages in free chunks.",
            human_bytes(numbers->trimmable_bytes).text);
}

/* Free bytes that no trim releases: they share their pages with chunks in use, or were never touched. */
static void find_pinned(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    uint64_t binned = numbers_binned_bytes(numbers);
    if (!numbers->has_residency || !matters(all, binned))
        return;
    uint64_t whole = min_u64(binned, numbers->free.resident_bytes + numbers->free.swapped_bytes);
    if (matters(all, binned - whole))
        add(all, "pinned", binned - whole,
            "Free what was allocated together, together; or give long-lived and short-lived blocks threads "
            "or arenas of their own.",
            "%s of the %s in bins are no whole pages in memory: parts of pages that chunks in use keep, or "
            "pages that were never touched. A trim does not release the former.",
            human_bytes(binned - whole).text, human_bytes(binned).text);
}

static void find_fragmentation(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    uint64_t binned = numbers_binned_bytes(numbers), chunks = 0;
    if (!numbers->is_complete || !matters(all, binned))
        return;
    for (int state = CHUNK_UNSORTED; state <= CHUNK_LARGE; state++)
        chunks += numbers->states[state].chunks;
    double ratio = 1 - (double)numbers->largest_per_arena_sum_bytes / (double)binned;
    if (ratio > FRAGMENTED)
        add(all, "fragmented", binned, "",
            "%s lie free in bins, in %" PRIu64
            " pieces of which the largest has %s: a larger block needs new memory "
            "(fragmentation ratio %.2f).",
            human_bytes(binned).text, chunks, human_bytes(numbers->largest_free_chunk_bytes).text, ratio);
}

static void find_top(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    const struct arena_numbers *arenas = snapshot_arenas(all->snapshot);
    for (uint32_t i = 0; i < all->snapshot->arena_count; i++) {
        uint64_t top = arenas[i].states[CHUNK_TOP].bytes;
        if (!arenas[i].is_main || !numbers->has_thresholds || !matters(all, top))
            continue;
        bool is_above = top > numbers->trim_threshold_bytes;
        add(all, "top", top,
            "Lower it: GLIBC_TUNABLES=glibc.malloc.trim_threshold=BYTES, or M_TRIM_THRESHOLD.",
            "%s are free at the end of the main heap. glibc gives that back by itself when a free() makes a "
            "chunk of 64 KiB or more and finds more than trim_threshold there, which is %s now%s.",
            human_bytes(top).text, human_bytes(numbers->trim_threshold_bytes).text,
            is_above ? ": it is above that" : "");
    }
}

static void find_tcache(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    const struct tally *tcache = &numbers->states[CHUNK_TCACHE], *fast = &numbers->states[CHUNK_FASTBIN];
    if (matters(all, tcache->bytes))
        add(all, "tcache", tcache->bytes,
            "Fewer per size: GLIBC_TUNABLES=glibc.malloc.tcache_count=N (0: none), or fewer threads.",
            "%s in %" PRIu64 " chunks wait in the caches of %" PRIu64
            " threads. Other threads cannot use them, and "
            "malloc_trim(0) leaves them; they go back when their thread ends.",
            human_bytes(tcache->bytes).text, tcache->chunks, numbers->tcaches);
    if (matters(all, fast->bytes))
        add(all, "fastbin", fast->bytes, "",
            "%s in %" PRIu64
            " chunks are in fastbins: not merged with their neighbours until a large request, or "
            "malloc_trim(0).",
            human_bytes(fast->bytes).text, fast->chunks);
}

static uint64_t free_of(const struct arena_numbers *arena)
{
    uint64_t bytes = 0;
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        bytes += chunk_state_is_free((enum chunk_state)state) ? arena->states[state].bytes : 0;
    return bytes;
}

static void find_arenas(struct findings *all)
{
    static const char REMEDY[] =
        "Fewer arenas: MALLOC_ARENA_MAX=2 in the environment, or "
        "GLIBC_TUNABLES=glibc.malloc.arena_max=2. Threads then wait for each other more.";
    const struct arena_numbers *arenas = snapshot_arenas(all->snapshot);
    uint64_t others = 0, idle = 0, idle_count = 0;
    for (uint32_t i = 0; i < all->snapshot->arena_count; i++) {
        if (arenas[i].is_main)
            continue;
        others += free_of(&arenas[i]);
        if (arenas[i].attached_threads.is_known && arenas[i].attached_threads.value == 0) {
            idle_count++;
            idle += free_of(&arenas[i]);
        }
    }
    if (all->numbers->arenas > 2 && matters(all, others))
        add(all, "arenas", others, REMEDY,
            "%s are free in %" PRIu64
            " arenas beside the main one; each serves the threads that are attached to it, and what is free "
            "in one is no use to the others.",
            human_bytes(others).text, all->numbers->arenas - 1);
    if (matters(all, idle))
        add(all, "idle_arenas", idle, REMEDY,
            "%s of that are in %" PRIu64
            " arenas that no thread is attached to: kept until a new thread takes one.",
            human_bytes(idle).text, idle_count);
}

/* Unless it was set, only the free of an mmapped chunk raises it (malloc.c, mp_.no_dyn_threshold). */
static void find_threshold(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    if (numbers->has_thresholds && numbers->mmap_threshold_bytes > MMAP_THRESHOLD_DEFAULT &&
        !numbers->has_fixed_thresholds)
        add(all, "mmap_threshold", 0,
            "Set it, and it stays: GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072, or M_MMAP_THRESHOLD. "
            "Each larger block then costs a system call.",
            "glibc has raised mmap_threshold to %s, since the program freed a block of that size: blocks up "
            "to it no longer get mappings of their own, which a free() would give back at once, but come out "
            "of the heap; and trim_threshold went to %s.",
            human_bytes(numbers->mmap_threshold_bytes).text, human_bytes(numbers->trim_threshold_bytes).text);
}

static void find_elsewhere(struct findings *all)
{
    const struct scan_numbers *numbers = all->numbers;
    uint64_t resident = all->snapshot->resident_bytes;
    if (numbers->has_residency && resident > numbers->heaps.resident_bytes &&
        matters(all, resident - numbers->heaps.resident_bytes))
        add(all, "elsewhere", resident - numbers->heaps.resident_bytes,
            "`status` shows it by kind: code, files, stacks, mappings of others.",
            "%s of the resident memory are not malloc's at all.",
            human_bytes(resident - numbers->heaps.resident_bytes).text);
    if (numbers->has_residency && matters(all, numbers->free.swapped_bytes))
        add(all, "swapped", numbers->free.swapped_bytes, "", "%s of free memory are in swap, not in memory.",
            human_bytes(numbers->free.swapped_bytes).text);
}

static void find_doubts(struct findings *all)
{
    const struct completeness *completeness = &all->numbers->completeness;
    if (!all->numbers->is_complete)
        add(all, "unread", completeness->unread_bytes, "`scan` says why and where.",
            "A part of the heaps or of malloc's lists could not be read (%s): what is there is missing in "
            "all numbers here, or counted as held by the program.",
            human_bytes(completeness->unread_bytes).text);
    if (all->numbers->tcaches_missing)
        add(all, "tcaches_missing", 0, "",
            "The caches of %" PRIu64
            " threads were not found: what waits in them is counted as held by the program.",
            all->numbers->tcaches_missing);
    if (completeness->corrupt_count)
        add(all, "corrupt", 0,
            "The program has written where it must not: run it under AddressSanitizer or valgrind.",
            "%" PRIu64
            " places of the heap are damaged: this program may crash in malloc or free at any time.",
            completeness->corrupt_count);
}

static int by_bytes(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    return a->bytes < b->bytes ? 1 : a->bytes > b->bytes ? -1 : 0;
}

void findings_make(const struct snapshot *snapshot, struct findings *ret)
{
    static void (*const FINDERS[])(struct findings *) = {
        find_in_use, find_trimmable, find_pinned,    find_fragmentation, find_top,
        find_tcache, find_arenas,    find_threshold, find_elsewhere,     find_doubts};
    *ret = (struct findings){.snapshot = snapshot,
                             .numbers = &snapshot->numbers,
                             .held_bytes = snapshot->numbers.system_bytes +
                                           snapshot->numbers.states[CHUNK_MMAPPED].bytes};
    for (size_t i = 0; i < sizeof FINDERS / sizeof *FINDERS; i++)
        FINDERS[i](ret);
    qsort(ret->rows, ret->count, sizeof *ret->rows, by_bytes);
}
