/*
 * allocator.h - what a walker of an allocator offers. One ops struct an allocator, listed in registry.c.
 */
#ifndef ALLOCATOR_ALLOCATOR_H
#define ALLOCATOR_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/chunk.h"
#include "snapshot/snapshot.h"
#include "target/hold.h"
#include "target/target.h"

/**
 * Symbols and layouts from a module's files, asked of whoever may parse them: a seam, since the walker must
 * not (libelf and libdw run only in the resolver). NULL ops: signature only.
 */
struct symbol_source;

/**
 * What was learnt of a libc, kept by its file, so that the second process with the same libc costs nothing;
 * and memory that each scan needs again, 2.25 MiB at most.
 * Owned by whoever scans many processes; one thread at a time.
 */
struct allocator_cache;
struct allocator_cache *allocator_cache_new(void); /* empty; NULL without memory */
void allocator_cache_free(struct allocator_cache *cache);

/**
 * Threads that walk the heaps of one process side by side, and the memory that they need: all there is of it
 * is taken here, so that a scan under a stop takes none. For one scan at a time.
 */
struct scan_threads;
/** @count is 2 to 64. STATUS_NO_MEMORY; STATUS_SYSTEM: the kernel gives no thread. */
enum status scan_threads_new(unsigned count, struct scan_threads **ret, struct error *err) must_check;
/** No scan may use them. NULL is allowed. */
void scan_threads_free(struct scan_threads *threads);
/** How many there are; 1 for NULL: a scan's own. */
unsigned scan_threads_count(const struct scan_threads *threads);
/** The kernel's number of one of them, 0 to scan_threads_count() - 1, which says how it does. */
pid_t scan_threads_tid(const struct scan_threads *threads, unsigned number);
/** Processor time of all scans so far, without their own threads', nanoseconds; 0 for NULL. */
uint64_t scan_threads_cpu_ns(const struct scan_threads *threads);

/** What a scan is asked for. */
struct scan_request {
    enum consistency consistency;
    uint64_t deadline_ns;        /* monotonic; the scan ends as STATUS_TIMEOUT beyond it */
    uint64_t snapshot_budget_ns; /* longest stop of CONSISTENCY_SNAPSHOT */
    uint64_t slice_budget_ns;    /* longest stop of CONSISTENCY_SLICED */
    bool read_swapped;           /* read swapped pages too (brings them back into memory) */
    bool want_residency;
    bool want_details;             /* bins, heaps and tcaches in the snapshot */
    struct holder *holder;         /* needed for all but live */
    struct chunk_sink *chunks;     /* gets every chunk by address; may be NULL */
    struct symbol_source *symbols; /* may be NULL */
    struct allocator_cache *cache; /* may be NULL */
    struct scan_threads *threads;  /* may be NULL: the calling thread walks all heaps */
    struct scan_timing *stops;     /* gets mode, why and pauses, also of a scan that fails; may be NULL */
};

/** An allocator that can be recognised and walked. */
struct allocator_ops {
    const char *name;
    /**
     * Find and walk its heap in @target. On success *@ret is a new snapshot whose numbers, arrays, timing and
     * the labels allocator and libc_version are filled; the caller fills the rest of the labels and identity.
     * STATUS_UNSUPPORTED: the process does not use this allocator. A heap not yet used is a result (zeros).
     * STATUS_TIMEOUT, STATUS_INCONSISTENT, STATUS_GONE, STATUS_PERMISSION as their names say; STATUS_STOPPED
     * where the sink ended the walk (no snapshot then).
     */
    enum status (*scan)(struct target *target, const struct scan_request *request, struct snapshot **ret,
                        struct error *err);
};

/**
 * Scan @target with the allocator it uses. STATUS_UNSUPPORTED: the name of the one that it does use (musl,
 * jemalloc, tcmalloc, mimalloc, go, other) is put into @name (at least 32 bytes).
 */
enum status allocator_scan(struct target *target, const struct scan_request *request, char name[32],
                           struct snapshot **ret, struct error *err) must_check;

#endif
