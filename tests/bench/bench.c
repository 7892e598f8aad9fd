/*
 * bench.c - the time of a scan against a bare read of the same present pages in 1 MiB windows, in alternating
 * pairs. Arguments: MIB [PAIRS [SHAPE]]. It asserts only that the scan walked the heap, never a time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/allocator.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "support/by_value.h"
#include "support/spawn.h"
#include "target/live.h"

#define WINDOW (UINT64_C(1) << 20)
#define PAIRS_MAX 101

static char window[1 << 20];

/* Reads every run of present pages of @mapping; the bytes read. */
static uint64_t read_mapping(struct target *target, const struct mapping *mapping)
{
    static uint8_t states[(1 << 20) / 4096];
    uint64_t bytes = 0;
    struct error err = {0};
    for (uint64_t at = mapping->start; at < mapping->end; at += WINDOW) {
        uint64_t length = mapping->end - at < WINDOW ? mapping->end - at : WINDOW;
        size_t pages = length / 4096;
        if (target_page_states(target, at, pages, states, &err) != STATUS_OK) {
            return 0;
        }
        for (size_t i = 0, end; i < pages; i = end) {
            for (end = i + 1; end < pages && states[end] == states[i]; end++) {
            }
            if (states[i] == PAGE_PRESENT) {
                bytes += target_read(target, at + i * 4096, window, (end - i) * 4096);
            }
        }
    }
    return bytes;
}

static uint64_t read_bare(struct target *target)
{
    struct maps scoped_maps maps = {0};
    struct error err = {0};
    uint64_t bytes = 0;
    if (target_maps(target, &maps, &err) != STATUS_OK) {
        return 0;
    }
    for (size_t i = 0; i < maps.count; i++) {
        const struct mapping *row = &maps.rows[i];
        if (mapping_is_anonymous(row) && (row->name[0] == '\0' || strcmp(row->name, "[heap]") == 0)) {
            bytes += read_mapping(target, row);
        }
    }
    return bytes;
}

/* @threads may be NULL: by this thread alone. */
static struct snapshot *scan(struct target *target, struct scan_threads *threads)
{
    struct error err = {0};
    char name[32] = "";
    struct snapshot *snapshot = NULL;
    struct scan_request request = {.deadline_ns = clock_monotonic_ns() + UINT64_C(120000000000),
                                   .threads = threads};
    if (allocator_scan(target, &request, name, &snapshot, &err) != STATUS_OK) {
        fprintf(stderr, "scan: %s %s\n", name, err.message);
    }
    return snapshot;
}

/* Pss of this process, which is all that a scan by the library takes. */
static unsigned long own_pss_kib(void)
{
    FILE *scoped_file file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    unsigned long kib = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Pss: %lu", &kib) == 1) {
            break;
        }
    }
    return kib;
}

struct run {
    uint64_t scan_ns[PAIRS_MAX], bare_ns[PAIRS_MAX];
    uint64_t bare_bytes, scan_bytes, chunks, walked;
    unsigned long pss_kib;
};

static bool measure(struct target *target, struct run *run, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        uint64_t start = clock_monotonic_ns();
        run->bare_bytes = read_bare(target);
        run->bare_ns[i] = clock_monotonic_ns() - start;
        uint64_t before = target->read_bytes;
        start = clock_monotonic_ns();
        struct snapshot *snapshot = scan(target, NULL);
        run->scan_ns[i] = clock_monotonic_ns() - start;
        if (snapshot == NULL) {
            return false;
        }
        run->scan_bytes = target->read_bytes - before;
        run->chunks = run->walked = 0;
        for (size_t state = 0; state < CHUNK_STATE_COUNT; state++) {
            run->chunks += snapshot->numbers.states[state].chunks;
            run->walked += snapshot->numbers.states[state].bytes;
        }
        snapshot_unref(snapshot);
        unsigned long kib = own_pss_kib();
        run->pss_kib = kib > run->pss_kib ? kib : run->pss_kib;
    }
    qsort(run->scan_ns, pairs, sizeof *run->scan_ns, by_value);
    qsort(run->bare_ns, pairs, sizeof *run->bare_ns, by_value);
    return true;
}

static bool bench(const char *shape, const char *mib, size_t pairs)
{
    static struct run run;
    run = (struct run){0};
    struct spawned spawned = {0};
    struct error err = {0};
    struct target *target = NULL;
    bool is_good = spawn_target(&spawned, "bench", (const char *const[]){shape, mib, NULL}) &&
                   target_live_open("/proc", spawned.pid, &target, &err) == STATUS_OK &&
                   measure(target, &run, pairs);
    target_close(target);
    spawn_end(&spawned);
    if (!is_good) {
        printf("%-9s could not be measured: %s\n", shape, err.message);
        return false;
    }
    double bare = (double)run.bare_ns[pairs / 2] / 1e6, scanned = (double)run.scan_ns[pairs / 2] / 1e6;
    printf("%-9s %8.1f (%.1f-%.1f) %8.1f (%.1f-%.1f) %5.2f %8.1f %8.1f %8.1f %9" PRIu64 " %7lu\n", shape,
           bare, (double)run.bare_ns[0] / 1e6, (double)run.bare_ns[pairs - 1] / 1e6, scanned,
           (double)run.scan_ns[0] / 1e6, (double)run.scan_ns[pairs - 1] / 1e6, scanned / bare,
           (double)run.walked / 1048576, (double)run.bare_bytes / 1048576, (double)run.scan_bytes / 1048576,
           run.chunks, run.pss_kib);
    return run.walked >= strtoul(mib, NULL, 10) * (WINDOW * 9 / 10) && run.walked <= run.bare_bytes * 11 / 10;
}

static uint64_t chunks_of(const struct snapshot *snapshot)
{
    uint64_t chunks = 0;
    for (size_t state = 0; state < CHUNK_STATE_COUNT; state++) {
        chunks += snapshot->numbers.states[state].chunks;
    }
    return chunks;
}

/* The time of a scan, and what it found. */
static bool time_scan(struct target *target, struct scan_threads *threads, uint64_t *ret_ns,
                      uint64_t *ret_chunks)
{
    uint64_t start = clock_monotonic_ns();
    struct snapshot *snapshot = scan(target, threads);
    *ret_ns = clock_monotonic_ns() - start;
    *ret_chunks = snapshot != NULL ? chunks_of(snapshot) : 0;
    snapshot_unref(snapshot);
    return *ret_chunks > 0;
}

/* The heap of many arenas by one thread and by two, in alternating pairs. */
static bool bench_scan_threads(const char *mib, size_t pairs)
{
    static uint64_t one_ns[PAIRS_MAX], two_ns[PAIRS_MAX];
    struct spawned spawned = {0};
    struct error err = {0};
    struct target *target = NULL;
    struct scan_threads *threads = NULL;
    uint64_t one_chunks = 0, two_chunks = 0;
    bool is_good = scan_threads_new(2, &threads, &err) == STATUS_OK &&
                   spawn_target(&spawned, "bench", (const char *const[]){"threads", mib, NULL}) &&
                   target_live_open("/proc", spawned.pid, &target, &err) == STATUS_OK;
    for (size_t i = 0; is_good && i < pairs; i++) {
        is_good = time_scan(target, NULL, &one_ns[i], &one_chunks) &&
                  time_scan(target, threads, &two_ns[i], &two_chunks) && one_chunks == two_chunks;
    }
    target_close(target);
    spawn_end(&spawned);
    scan_threads_free(threads);
    if (!is_good) {
        printf("scan_threads could not be measured: %s\n", err.message);
        return false;
    }
    qsort(one_ns, pairs, sizeof *one_ns, by_value);
    qsort(two_ns, pairs, sizeof *two_ns, by_value);
    double one = (double)one_ns[pairs / 2] / 1e6, two = (double)two_ns[pairs / 2] / 1e6;
    printf("threads: by 1 thread %.1f ms (%.1f-%.1f), by 2 threads %.1f ms (%.1f-%.1f), 1/2 %.2f, %" PRIu64
           " chunks\n",
           one, (double)one_ns[0] / 1e6, (double)one_ns[pairs - 1] / 1e6, two, (double)two_ns[0] / 1e6,
           (double)two_ns[pairs - 1] / 1e6, one / two, one_chunks);
    return true;
}

int main(int argc, char **argv)
{
    const char *mib = argc > 1 ? argv[1] : "1024";
    size_t pairs = argc > 2 ? strtoul(argv[2], NULL, 10) : 7;
    if (pairs < 1 || pairs > PAIRS_MAX) {
        return 2;
    }
    printf("shape | bare ms (min-max) | scan ms (min-max) | scan/bare | walked MiB | bare read MiB | scan "
           "read MiB | "
           "chunks | Pss KiB\n");
    bool is_good = true;
    static const char *const shapes[] = {"small", "mixed", "threads", "unsorted", "shuffled"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (argc > 3 && strcmp(argv[3], shapes[i]) != 0) {
            continue;
        }
        is_good = bench(shapes[i], mib, pairs) && is_good;
        fflush(stdout);
    }
    if (argc <= 3 || strcmp(argv[3], "threads") == 0) {
        is_good = bench_scan_threads(mib, pairs) && is_good;
    }
    return is_good ? 0 : 1;
}
