/* scan.c - one scan of a quiet process through the library's public headers. */
#include "support/scan.h"

#include <stdio.h>

#include "allocator/allocator.h"
#include "base/clock.h"
#include "target/hold.h"
#include "target/live.h"

#define SECOND_NS UINT64_C(1000000000)

static enum status quiet_begin(struct holder *holder, pid_t pid, uint64_t budget_ns, struct error *err)
{
    (void)holder;
    (void)pid;
    (void)budget_ns;
    (void)err;
    return STATUS_OK;
}

static void quiet_end(struct holder *holder, struct hold_report *ret)
{
    (void)holder;
    *ret = (struct hold_report){.pause_ns = 1, .threads = 1, .is_confirmed = true};
}

static const struct hold_ops quiet_ops = {quiet_begin, quiet_end};

struct snapshot *scan_process(pid_t pid, enum consistency consistency, struct chunk_sink *sink)
{
    struct error err = {0};
    struct target *scoped_target target = NULL;
    if (target_live_open("/proc", pid, &target, &err) != STATUS_OK) {
        fprintf(stderr, "open %d: %s\n", (int)pid, err.message);
        return NULL;
    }
    struct holder holder = {&quiet_ops};
    struct scan_request request = {
        .consistency = consistency,
        .deadline_ns = clock_monotonic_ns() + 60 * SECOND_NS,
        .snapshot_budget_ns = 10 * SECOND_NS,
        .slice_budget_ns = SECOND_NS,
        .want_residency = true,
        .want_details = true,
        .holder = &holder,
        .chunks = sink,
    };
    char name[32] = "";
    struct snapshot *snapshot = NULL;
    if (allocator_scan(target, &request, name, &snapshot, &err) != STATUS_OK) {
        fprintf(stderr, "scan %d: %s %s\n", (int)pid, name, err.message);
        return NULL;
    }
    return snapshot;
}
