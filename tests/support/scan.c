/* scan.c - one scan, under a real stop where a snapshot is asked for, through the library's public headers.
 */
#include "support/scan.h"

#include <stdio.h>

#include "allocator/allocator.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "link/hold_client.h"
#include "roles/holder/holder.h"
#include "target/live.h"

#define SECOND_NS UINT64_C(1000000000)

struct snapshot *scan_once(pid_t pid, enum consistency consistency, struct chunk_sink *sink)
{
    return scan_as(pid, &(struct scan_wish){.consistency = consistency, .sink = sink});
}

static void end_threads(struct scan_threads **threads)
{
    scan_threads_free(*threads);
}

struct snapshot *scan_as(pid_t pid, const struct scan_wish *wish)
{
    struct error err = {0};
    struct scan_threads *scoped(end_threads) threads = NULL;
    if (wish->threads > 1 && scan_threads_new(wish->threads, &threads, &err) != STATUS_OK) {
        fprintf(stderr, "%u threads: %s\n", wish->threads, err.message);
        return NULL;
    }
    struct target *scoped_target target = NULL;
    if (target_live_open("/proc", pid, &target, &err) != STATUS_OK) {
        fprintf(stderr, "open %d: %s\n", (int)pid, err.message);
        return NULL;
    }
    struct forked_helper child = {.main = holder_main, .ends_by_itself = true};
    struct hold_client client;
    hold_client_init(&client, forked_helper_launcher(&child));
    struct scan_request request = {
        .consistency = wish->consistency,
        .deadline_ns = clock_monotonic_ns() + 300 * SECOND_NS,
        .snapshot_budget_ns = 60 * SECOND_NS,
        .slice_budget_ns = SECOND_NS / 50,
        .want_residency = true,
        .want_details = true,
        .holder = &client.holder,
        .chunks = wish->sink,
        .symbols = wish->symbols,
        .threads = threads,
    };
    char name[32] = "";
    struct snapshot *snapshot = NULL;
    if (allocator_scan(target, &request, name, &snapshot, &err) != STATUS_OK) {
        fprintf(stderr, "scan %d: %s %s\n", (int)pid, name, err.message);
        return NULL;
    }
    return snapshot;
}
