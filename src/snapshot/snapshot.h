/*
 * snapshot.h - the immutable result of one scan of one process: numbers and arenas, never the chunks.
 *
 * One block of memory without pointers inside, so that it can be sent between roles as it is, and shared by
 * reference count inside one.
 */
#ifndef SNAPSHOT_SNAPSHOT_H
#define SNAPSHOT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/chunk.h"
#include "model/completeness.h"

/** Count and bytes of a set of chunks. */
struct tally {
    uint64_t chunks;
    uint64_t bytes;
};

/* How the heap was found: enumerator, label. */
#define FOUND_BY_TABLE(X)     \
    X(SIGNATURE, "signature") \
    X(SYMTAB, "symtab")       \
    X(DEBUGINFO, "debuginfo")
enum found_by {
#define X(name, label) FOUND_BY_##name,
    FOUND_BY_TABLE(X)
#undef X
        FOUND_BY_COUNT
};
const char *found_by_name(enum found_by found_by);

/* How a scan stands to the target: enumerator, name; weaker first. */
#define CONSISTENCY_TABLE(X) \
    X(LIVE, "live")          \
    X(SLICED, "sliced")      \
    X(SNAPSHOT, "snapshot")
enum consistency {
#define X(name, label) CONSISTENCY_##name,
    CONSISTENCY_TABLE(X)
#undef X
        CONSISTENCY_COUNT
};
const char *consistency_name(enum consistency consistency);
/** The consistency called @name, or -1. */
int consistency_parse(const char *name);

/* Why the last scan had the consistency that it had: enumerator, label of malloc_last_scan_mode. */
#define MODE_WHY_TABLE(X)     \
    X(REQUESTED, "requested") \
    X(TRACED, "traced")       \
    X(THREADS, "threads")     \
    X(SLOW, "slow")
enum mode_why {
#define X(name, label) MODE_WHY_##name,
    MODE_WHY_TABLE(X)
#undef X
        MODE_WHY_COUNT
};
const char *mode_why_name(enum mode_why why);

/* The checks of malloc_reconciled: enumerator, label, whether a difference in bytes goes with it. */
#define CHECK_TABLE(X)                         \
    X(ARENA_RING, "arena_ring", false)         \
    X(SYSTEM_BYTES, "system_bytes", true)      \
    X(TOP, "top", true)                        \
    X(MMAPPED_CHUNKS, "mmapped_chunks", false) \
    X(MMAPPED_BYTES, "mmapped_bytes", true)    \
    X(BINS, "bins", false)
enum check {
#define X(name, label, has_bytes) CHECK_##name,
    CHECK_TABLE(X)
#undef X
        CHECK_COUNT
};
const char *check_name(enum check check);
bool check_has_bytes(enum check check);

/** One check's outcome; absent (is_known false) where it needs lost bytes or the book moved meanwhile. */
struct check_result {
    bool is_known;
    bool is_reconciled;
    uint64_t difference_bytes;
};

/** Buckets of malloc_chunk_size_bytes: le = 32 · 4^i for i = 0 … 10 (32 to 33554432), the last is +Inf. */
#define HISTOGRAM_BUCKETS 12
/** Upper bound of bucket @i in bytes; UINT64_MAX for the last. */
uint64_t histogram_bound(unsigned i);

/** Chunks by size, not cumulated: counts[i] holds those above bound i-1 up to bound i. */
struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t sum_bytes;
};

/** Pages in memory and in swap, in bytes. */
struct residency {
    uint64_t resident_bytes;
    uint64_t swapped_bytes;
};

/** A value that may be absent. */
struct optional_u64 {
    bool is_known;
    uint64_t value;
};

/** The numbers of one arena. */
struct arena_numbers {
    uint64_t address;
    uint32_t index;         /* by age: 0 main, 1 the oldest other one */
    uint32_t ring_position; /* as malloc_info numbers them: 0 main, 1 the newest */
    uint32_t heaps;         /* segments; of main its runs */
    uint32_t is_main;
    struct optional_u64 attached_threads; /* since glibc 2.23 */
    uint64_t system_bytes;                /* system_mem */
    uint64_t system_peak_bytes;           /* max_system_mem */
    uint64_t heap_bytes;                  /* non-main: sum of heap_info.size */
    uint64_t heap_mprotect_bytes;         /* non-main: sum of heap_info.mprotect_size */
    uint64_t overhead_bytes;
    uint64_t unread_bytes;
    uint64_t largest_binned_bytes; /* largest chunk in unsorted, small, large */
    uint64_t free_resident_bytes;
    struct tally states[CHUNK_STATE_COUNT];
};

/** One non-empty list of an arena. */
enum bin_kind { BIN_FAST, BIN_UNSORTED, BIN_SMALL, BIN_LARGE };
struct bin_numbers {
    uint32_t arena; /* index by age */
    uint16_t kind;  /* enum bin_kind */
    uint16_t bin;   /* index in fastbinsY, or bin number 1 … 126 */
    struct tally tally;
    uint64_t min_bytes; /* smallest and largest chunk size in it */
    uint64_t max_bytes;
};

/** One segment of memory that an arena has: a sub-heap, or a run of the main arena. */
struct heap_numbers {
    uint64_t start; /* of the segment; main: of the run's first chunk */
    uint64_t end;   /* end of its used part */
    uint32_t arena;
    uint32_t reserved;
};

/** One thread's tcache. */
struct tcache_numbers {
    int32_t tid;
    uint32_t is_valid; /* its lists could be followed to their ends */
    uint64_t address;  /* of the struct; 0: the thread has none */
    struct tally tally;
};

/** What a process is: all strings are valid UTF-8, "" where not known. */
struct process_labels {
    char comm[64];
    char exe[512]; /* longer ones end in "…" */
    char allocator[32];
    char libc_version[32];
    char unit[256];
    char container_id[80];
    char pod_uid[48];
};

/** All numbers of one scan of one process. */
struct scan_numbers {
    struct tally states[CHUNK_STATE_COUNT];
    uint64_t system_bytes, system_peak_bytes, overhead_bytes;
    struct completeness completeness;
    uint32_t is_complete; /* unread_bytes is 0, and no arena, list or book is missing */
    uint32_t found_by;    /* enum found_by */
    uint32_t has_residency, has_trimmable, has_thresholds, has_histogram;
    uint32_t has_fixed_thresholds, reserved; /* somebody has set one: glibc moves none */
    struct residency heaps, free;
    uint64_t trimmable_bytes;
    uint64_t largest_free_chunk_bytes;
    uint64_t largest_per_arena_sum_bytes; /* for the fragmentation ratio */
    uint64_t arenas, heap_count, tcaches, tcaches_missing;
    struct histogram used_sizes, free_sizes;
    struct check_result checks[CHECK_COUNT];
    struct optional_u64 arenas_limit;
    uint64_t mmap_threshold_bytes, trim_threshold_bytes;
    uint64_t mmapped_count_book, mmapped_bytes_book; /* n_mmaps, mmapped_mem */
    uint64_t read_bytes, orphans;
};

/** When and how a scan ran. Times in ns; the timestamp since 1970. */
struct scan_timing {
    uint64_t end_realtime_ns;
    uint64_t duration_ns;
    uint64_t pause_ns;     /* sum of all stops of this scan */
    uint64_t max_pause_ns; /* longest single one */
    uint32_t mode;         /* enum consistency: what it really had */
    uint32_t why;          /* enum mode_why */
};

/**
 * The block. Behind the struct lie arenas, bins, heaps, tcaches, in that order (accessors below); their order
 * inside: arenas by index, the others by arena.
 */
struct snapshot {
    uint64_t total_bytes; /* of the block; first, so that a receiver can check it */
    uint32_t references;  /* meaningless in a message */
    int32_t pid;
    uint64_t start_time_ticks;
    double start_time_seconds; /* since 1970 */
    uint64_t resident_bytes;   /* RSS of the process */
    struct process_labels labels;
    struct scan_numbers numbers;
    struct scan_timing timing;
    uint32_t arena_count, bin_count, heap_count, tcache_count;
};

/** A zeroed block with room for the given arrays; snapshot_unref() ends it. NULL without memory. */
struct snapshot *snapshot_new(uint32_t arenas, uint32_t bins, uint32_t heaps, uint32_t tcaches);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);

/** The arrays inside the block. */
struct arena_numbers *snapshot_arenas(const struct snapshot *snapshot);
struct bin_numbers *snapshot_bins(const struct snapshot *snapshot);
struct heap_numbers *snapshot_heaps(const struct snapshot *snapshot);
struct tcache_numbers *snapshot_tcaches(const struct snapshot *snapshot);

/** Whether @length bytes at @data are a whole block whose counts and enumerators are in range. */
bool snapshot_is_valid(const void *data, size_t length);

/** Sums that several readers want. */
uint64_t numbers_active_bytes(const struct scan_numbers *numbers);
uint64_t numbers_free_bytes(const struct scan_numbers *numbers);
/** Bytes in unsorted, small and large. */
uint64_t numbers_binned_bytes(const struct scan_numbers *numbers);

#endif
