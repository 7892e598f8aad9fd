/*
 * stops.c - PID MAX_PAUSE_MS SCANS: the stops of that many sliced scans, each by the holder's own times
 * (first interrupt to last detach), and what is left of them without the time that the machine kept from
 * whoever is first in line (witness.h). One line: how many stops, how many of them were longer than
 * MAX_PAUSE_MS and one more, the median and the longest in ms; of what is left how many were, and the
 * longest; and the longest time that the machine kept a processor to itself. "0 stops": it has too many
 * threads for one. Exit code 1: a scan failed; 2: no real time is to be had.
 */
#include <stdio.h>
#include <stdlib.h>

#include "allocator/allocator.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "link/hold_client.h"
#include "roles/holder/holder.h"
#include "support/by_value.h"
#include "target/live.h"
#include "witness.h"

#define STOPS_MAX 65536u
#define SCAN_NS (60 * NS_PER_SECOND)

struct stop {
    uint64_t begun_ns, pause_ns;
};

/* A holder that remembers each stop. */
struct noted_holder {
    struct holder holder;
    struct hold_client client;
    struct stop stops[STOPS_MAX];
    size_t count;
};

static void note(struct noted_holder *noted, uint64_t begun_ns, uint64_t pause_ns)
{
    if (noted->count < STOPS_MAX)
        noted->stops[noted->count] = (struct stop){.begun_ns = begun_ns, .pause_ns = pause_ns};
    noted->count++;
}

static enum status begin(struct holder *holder, pid_t pid, uint64_t budget_ns, struct error *err)
{
    struct noted_holder *noted = (struct noted_holder *)holder;
    struct holder *real = &noted->client.holder;
    enum status status = real->ops->begin(real, pid, budget_ns, err);
    holder->release_by_ns = real->release_by_ns;
    holder->vain_pause_ns = real->vain_pause_ns;
    if (status != STATUS_OK && real->vain_pause_ns > 0)
        note(noted, noted->client.begun_ns, real->vain_pause_ns);
    return status;
}

static void end(struct holder *holder, struct hold_report *ret)
{
    struct noted_holder *noted = (struct noted_holder *)holder;
    uint64_t begun_ns = noted->client.begun_ns;
    noted->client.holder.ops->end(&noted->client.holder, ret);
    note(noted, begun_ns, ret->pause_ns);
}

static const struct hold_ops NOTED_OPS = {.begin = begin, .end = end};

static void print_stops(const struct noted_holder *noted, uint64_t limit_ns)
{
    static uint64_t pauses_ns[STOPS_MAX];
    size_t late = 0, own_late = 0;
    uint64_t own_longest_ns = 0;
    for (size_t i = 0; i < noted->count; i++) {
        const struct stop *stop = &noted->stops[i];
        uint64_t own_ns = stop->pause_ns - witness_late_ns(stop->begun_ns, stop->begun_ns + stop->pause_ns);
        pauses_ns[i] = stop->pause_ns;
        late += stop->pause_ns > limit_ns;
        own_late += own_ns > limit_ns;
        own_longest_ns = own_ns > own_longest_ns ? own_ns : own_longest_ns;
    }
    if (noted->count == 0) {
        puts("0 stops");
        return;
    }
    qsort(pauses_ns, noted->count, sizeof *pauses_ns, by_value);
    printf("%zu stops, late %zu, p50 %.2f, p100 %.2f; own: late %zu, p100 %.2f; machine %.2f\n", noted->count,
           late, (double)pauses_ns[noted->count / 2] / 1e6, (double)pauses_ns[noted->count - 1] / 1e6,
           own_late, (double)own_longest_ns / 1e6, (double)witness_longest_ns() / 1e6);
}

static bool scan(struct target *target, struct holder *holder, uint64_t max_pause_ns)
{
    struct error err = {0};
    char name[32] = "";
    struct snapshot *snapshot = NULL;
    struct scan_request request = {.consistency = CONSISTENCY_SLICED,
                                   .deadline_ns = clock_monotonic_ns() + SCAN_NS,
                                   .slice_budget_ns = max_pause_ns,
                                   .holder = holder};
    if (allocator_scan(target, &request, name, &snapshot, &err) != STATUS_OK)
        fprintf(stderr, "scan: %s\n", err.message);
    bool is_made = snapshot != NULL;
    snapshot_unref(snapshot);
    return is_made;
}

int main(int argc, char **argv)
{
    static struct noted_holder noted = {.holder.ops = &NOTED_OPS};
    static struct forked_helper child = {.main = holder_main, .ends_by_itself = true};
    struct target *scoped_target target = NULL;
    struct error err = {0};
    if (argc != 4) {
        fputs("usage: stops PID MAX_PAUSE_MS SCANS\n", stderr);
        return 1;
    }
    uint64_t max_pause_ns = strtoul(argv[2], NULL, 10) * NS_PER_MS;
    hold_client_init(&noted.client, forked_helper_launcher(&child));
    if (target_live_open("/proc", (pid_t)strtol(argv[1], NULL, 10), &target, &err) != STATUS_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (!witness_start())
        return 2;
    for (size_t i = strtoul(argv[3], NULL, 10); i > 0; i--)
        if (!scan(target, &noted.holder, max_pause_ns))
            return 1;
    if (!witness_stop() || noted.count > STOPS_MAX) {
        fprintf(stderr, "more happened in %zu stops than can be remembered: fewer scans, please\n",
                noted.count);
        return 1;
    }
    print_stops(&noted, max_pause_ns + NS_PER_MS);
    return 0;
}
