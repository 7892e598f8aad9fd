/* advice.c - see advice.h. One function a finding; those that do not matter here are left out. */
#include "inspect/advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"

/* Smaller ones are noise, unless they are a twentieth of what malloc has. */
#define BYTES_MIN (UINT64_C(1) << 20)
#define SHARE_MIN 20u
#define SHARE_BYTES_MIN (UINT64_C(64) << 10)
#define FINDINGS_MAX 16u
#define FRAGMENTED 0.5
#define MMAP_THRESHOLD_DEFAULT (UINT64_C(128) * 1024)

struct finding {
    const char *code;
    uint64_t bytes;
    char text[400];
    const char *remedy; /* "" for none */
};

struct advice {
    const struct snapshot *snapshot;
    const struct scan_numbers *numbers;
    uint64_t held_bytes; /* of the system: heaps and mmapped chunks */
    struct finding findings[FINDINGS_MAX];
    unsigned count;
};

struct human {
    char text[24];
};

static struct human human(uint64_t bytes)
{
    struct human human;
    report_human_bytes(bytes, human.text);
    return human;
}

static void add(struct advice *advice, const char *code, uint64_t bytes, const char *remedy,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add(struct advice *advice, const char *code, uint64_t bytes, const char *remedy,
                const char *format, ...)
{
    va_list args;
    if (advice->count == FINDINGS_MAX)
        return;
    struct finding *finding = &advice->findings[advice->count++];
    *finding = (struct finding){.code = code, .bytes = bytes, .remedy = remedy};
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}

static bool matters(const struct advice *advice, uint64_t bytes)
{
    return bytes >= BYTES_MIN || (bytes >= SHARE_BYTES_MIN && bytes >= advice->held_bytes / SHARE_MIN);
}

static void find_in_use(struct advice *advice)
{
    uint64_t active = numbers_active_bytes(advice->numbers);
    uint64_t chunks =
        advice->numbers->states[CHUNK_IN_USE].chunks + advice->numbers->states[CHUNK_MMAPPED].chunks;
    if (active)
        add(advice, "in_use", active,
            "Look for what allocates: `sizes` shows which sizes there are most of, `strings` and `search` "
            "what is in them.",
            "The program itself holds %s in %" PRIu64
            " chunks that it has not freed. No setting of malloc gives "
            "these back.",
            human(active).text, chunks);
}

static void find_trimmable(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    if (numbers->has_trimmable && matters(advice, numbers->trimmable_bytes))
        add(advice, "trimmable", numbers->trimmable_bytes,
            "Call malloc_trim(0) in the program at a quiet moment, or regularly.",
            "malloc_trim(0) would give at least %s back to the system at once: whole pages in free chunks.",
            human(numbers->trimmable_bytes).text);
}

/* Free bytes that no trim releases: they share their pages with chunks in use, or were never touched. */
static void find_pinned(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    uint64_t binned = numbers_binned_bytes(numbers);
    if (!numbers->has_residency || !matters(advice, binned))
        return;
    uint64_t whole = min_u64(binned, numbers->free.resident_bytes + numbers->free.swapped_bytes);
    if (matters(advice, binned - whole))
        add(advice, "pinned", binned - whole,
            "Free what was allocated together, together; or give long-lived and short-lived blocks threads "
            "or arenas of their own.",
            "%s of the %s in bins are no whole pages in memory: parts of pages that chunks in use keep, or "
            "pages that were never touched. A trim does not release the former.",
            human(binned - whole).text, human(binned).text);
}

static void find_fragmentation(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    uint64_t binned = numbers_binned_bytes(numbers), chunks = 0;
    if (!numbers->is_complete || !matters(advice, binned))
        return;
    for (int state = CHUNK_UNSORTED; state <= CHUNK_LARGE; state++)
        chunks += numbers->states[state].chunks;
    double ratio = 1 - (double)numbers->largest_per_arena_sum_bytes / (double)binned;
    if (ratio > FRAGMENTED)
        add(advice, "fragmented", binned, "",
            "%s lie free in bins, in %" PRIu64
            " pieces of which the largest has %s: a larger block needs new memory "
            "(fragmentation ratio %.2f).",
            human(binned).text, chunks, human(numbers->largest_free_chunk_bytes).text, ratio);
}

static void find_top(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    const struct arena_numbers *arenas = snapshot_arenas(advice->snapshot);
    for (uint32_t i = 0; i < advice->snapshot->arena_count; i++) {
        uint64_t top = arenas[i].states[CHUNK_TOP].bytes;
        if (!arenas[i].is_main || !numbers->has_thresholds || !matters(advice, top))
            continue;
        bool is_above = top > numbers->trim_threshold_bytes;
        add(advice, "top", top,
            "Lower it: GLIBC_TUNABLES=glibc.malloc.trim_threshold=BYTES, or M_TRIM_THRESHOLD.",
            "%s are free at the end of the main heap. glibc gives that back by itself when a free() makes a "
            "chunk of 64 KiB or more and finds more than trim_threshold there, which is %s now%s.",
            human(top).text, human(numbers->trim_threshold_bytes).text, is_above ? ": it is above that" : "");
    }
}

static void find_tcache(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    const struct tally *tcache = &numbers->states[CHUNK_TCACHE], *fast = &numbers->states[CHUNK_FASTBIN];
    if (matters(advice, tcache->bytes))
        add(advice, "tcache", tcache->bytes,
            "Fewer per size: GLIBC_TUNABLES=glibc.malloc.tcache_count=N (0: none), or fewer threads.",
            "%s in %" PRIu64 " chunks wait in the caches of %" PRIu64
            " threads. Other threads cannot use them, and "
            "malloc_trim(0) leaves them; they go back when their thread ends.",
            human(tcache->bytes).text, tcache->chunks, numbers->tcaches);
    if (matters(advice, fast->bytes))
        add(advice, "fastbin", fast->bytes, "",
            "%s in %" PRIu64
            " chunks are in fastbins: not merged with their neighbours until a large request, or "
            "malloc_trim(0).",
            human(fast->bytes).text, fast->chunks);
}

static uint64_t free_of(const struct arena_numbers *arena)
{
    uint64_t bytes = 0;
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        bytes += chunk_state_is_free((enum chunk_state)state) ? arena->states[state].bytes : 0;
    return bytes;
}

static void find_arenas(struct advice *advice)
{
    static const char REMEDY[] =
        "Fewer arenas: MALLOC_ARENA_MAX=2 in the environment, or "
        "GLIBC_TUNABLES=glibc.malloc.arena_max=2. Threads then wait for each other more.";
    const struct arena_numbers *arenas = snapshot_arenas(advice->snapshot);
    uint64_t others = 0, idle = 0, idle_count = 0;
    for (uint32_t i = 0; i < advice->snapshot->arena_count; i++) {
        if (arenas[i].is_main)
            continue;
        others += free_of(&arenas[i]);
        if (arenas[i].attached_threads.is_known && arenas[i].attached_threads.value == 0) {
            idle_count++;
            idle += free_of(&arenas[i]);
        }
    }
    if (advice->numbers->arenas > 2 && matters(advice, others))
        add(advice, "arenas", others, REMEDY,
            "%s are free in %" PRIu64
            " arenas beside the main one; each serves the threads that are attached to it, and what is free "
            "in one is no use to the others.",
            human(others).text, advice->numbers->arenas - 1);
    if (matters(advice, idle))
        add(advice, "idle_arenas", idle, REMEDY,
            "%s of that are in %" PRIu64
            " arenas that no thread is attached to: kept until a new thread takes one.",
            human(idle).text, idle_count);
}

/* Unless it was set, only the free of an mmapped chunk raises it (malloc.c, mp_.no_dyn_threshold). */
static void find_threshold(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    if (numbers->has_thresholds && numbers->mmap_threshold_bytes > MMAP_THRESHOLD_DEFAULT &&
        !numbers->has_fixed_thresholds)
        add(advice, "mmap_threshold", 0,
            "Set it, and it stays: GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072, or M_MMAP_THRESHOLD. "
            "Each larger block then costs a system call.",
            "glibc has raised mmap_threshold to %s, since the program freed a block of that size: blocks up "
            "to it no longer get mappings of their own, which a free() would give back at once, but come out "
            "of the heap; and trim_threshold went to %s.",
            human(numbers->mmap_threshold_bytes).text, human(numbers->trim_threshold_bytes).text);
}

static void find_elsewhere(struct advice *advice)
{
    const struct scan_numbers *numbers = advice->numbers;
    uint64_t resident = advice->snapshot->resident_bytes;
    if (numbers->has_residency && resident > numbers->heaps.resident_bytes &&
        matters(advice, resident - numbers->heaps.resident_bytes))
        add(advice, "elsewhere", resident - numbers->heaps.resident_bytes,
            "`status` shows it by kind: code, files, stacks, mappings of others.",
            "%s of the resident memory are not malloc's at all.",
            human(resident - numbers->heaps.resident_bytes).text);
    if (numbers->has_residency && matters(advice, numbers->free.swapped_bytes))
        add(advice, "swapped", numbers->free.swapped_bytes, "",
            "%s of free memory are in swap, not in memory.", human(numbers->free.swapped_bytes).text);
}

static void find_doubts(struct advice *advice)
{
    const struct completeness *completeness = &advice->numbers->completeness;
    if (!advice->numbers->is_complete)
        add(advice, "unread", completeness->unread_bytes, "`scan` says why and where.",
            "A part of the heaps or of malloc's lists could not be read (%s): what is there is missing in "
            "all "
            "numbers here, or counted as held by the program.",
            human(completeness->unread_bytes).text);
    if (advice->numbers->tcaches_missing)
        add(advice, "tcaches_missing", 0, "",
            "The caches of %" PRIu64
            " threads were not found: what waits in them is counted as held by the program.",
            advice->numbers->tcaches_missing);
    if (completeness->corrupt_count)
        add(advice, "corrupt", 0,
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

static void put_verdict(const struct advice *advice, struct report *report)
{
    char text[400];
    uint64_t active = numbers_active_bytes(advice->numbers), free_bytes = numbers_free_bytes(advice->numbers);
    unsigned percent = advice->held_bytes ? (unsigned)(active * 100 / advice->held_bytes) : 0;
    snprintf(text, sizeof text,
             "malloc has %s from the system: the program uses %s (%u %%), %s are free in malloc's hands.",
             human(advice->held_bytes).text, human(active).text, percent, human(free_bytes).text);
    report_key(report, "verdict", NULL);
    report_text(report, text);
    report_line(report, "%s", text);
}

/* Words into lines of a terminal. */
static void put_wrapped(struct report *report, const char *first, const char *text)
{
    const char *indent = "              ";
    while (*text) {
        size_t length = 0, last = 0;
        for (; text[length] && length <= 80; length++)
            if (text[length] == ' ')
                last = length;
        size_t end = text[length] && last ? last : length;
        report_line(report, "%-13s %.*s", first, (int)end, text);
        text += end;
        while (*text == ' ')
            text++;
        first = indent + 1;
    }
}

void advice_put(const struct snapshot *snapshot, struct report *report)
{
    static void (*const FINDERS[])(struct advice *) = {
        find_in_use, find_trimmable, find_pinned,    find_fragmentation, find_top,
        find_tcache, find_arenas,    find_threshold, find_elsewhere,     find_doubts};
    static const struct report_column COLUMNS[] = {{"code", NULL, 0, false},
                                                   {"bytes", NULL, 0, false},
                                                   {"text", NULL, 0, false},
                                                   {"remedy", NULL, 0, false}};
    struct advice advice = {.snapshot = snapshot,
                            .numbers = &snapshot->numbers,
                            .held_bytes = snapshot->numbers.system_bytes +
                                          snapshot->numbers.states[CHUNK_MMAPPED].bytes};
    for (size_t i = 0; i < sizeof FINDERS / sizeof *FINDERS; i++)
        FINDERS[i](&advice);
    qsort(advice.findings, advice.count, sizeof *advice.findings, by_bytes);
    put_verdict(&advice, report);
    report_table(report, "findings", COLUMNS, 4);
    for (unsigned i = 0; i < advice.count; i++) {
        const struct finding *finding = &advice.findings[i];
        if (report->format == REPORT_TEXT) {
            report_line(report, "%s", "");
            put_wrapped(report, finding->bytes ? human(finding->bytes).text : "-", finding->text);
            put_wrapped(report, "", finding->remedy);
            continue;
        }
        report_text(report, finding->code);
        report_bytes(report, finding->bytes);
        report_text(report, finding->text);
        report_text(report, finding->remedy[0] ? finding->remedy : NULL);
    }
    report_table_end(report);
}
