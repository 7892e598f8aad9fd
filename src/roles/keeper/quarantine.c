/* quarantine.c - see quarantine.h. */
#include "roles/keeper/quarantine.h"

#include <string.h>

#include "base/clock.h"

#define DEATHS_ALLOWED 1
#define DEATH_WAIT_NS (3600 * NS_PER_SECOND)
#define HANG_WAIT_NS (60 * NS_PER_SECOND)
/* A service that runs for months sees deaths that have nothing to do with each other. */
#define FORGIVEN_NS (24 * 3600 * NS_PER_SECOND)

static bool is_same(const struct message_process_id *a, const struct message_process_id *b)
{
    return a->pid == b->pid && a->start_time_ticks == b->start_time_ticks &&
           a->address_space == b->address_space;
}

void quarantine_scan_begin(struct quarantine *quarantine, const struct message_process_id *process)
{
    if (quarantine->scan_count < QUARANTINE_SCANS_MAX)
        quarantine->scans[quarantine->scan_count++] = *process;
}

void quarantine_scan_end(struct quarantine *quarantine, const struct message_process_id *process)
{
    for (size_t i = 0; i < quarantine->scan_count; i++) {
        if (!is_same(&quarantine->scans[i], process))
            continue;
        quarantine->scans[i] = quarantine->scans[--quarantine->scan_count];
        return;
    }
}

/* The suspect that @process is, or a place for it: where all are taken, the one seen longest ago. */
static struct suspect *suspect_of(struct quarantine *quarantine, const struct message_process_id *process)
{
    struct suspect *oldest = &quarantine->suspects[0];
    for (size_t i = 0; i < quarantine->suspect_count; i++) {
        if (is_same(&quarantine->suspects[i].process, process))
            return &quarantine->suspects[i];
        if (quarantine->suspects[i].seen_ns < oldest->seen_ns)
            oldest = &quarantine->suspects[i];
    }
    if (quarantine->suspect_count < QUARANTINE_SUSPECTS_MAX)
        oldest = &quarantine->suspects[quarantine->suspect_count++];
    *oldest = (struct suspect){.process = *process};
    return oldest;
}

void quarantine_excuse(struct quarantine *quarantine)
{
    quarantine->is_death_explained = true;
}

void quarantine_stuck(struct quarantine *quarantine, const struct message_process_id *process,
                      uint64_t now_ns)
{
    quarantine->is_death_explained = true;
    struct suspect *suspect = suspect_of(quarantine, process);
    uint64_t wait_ns = HANG_WAIT_NS << (suspect->hangs < 6 ? suspect->hangs : 6);
    suspect->hangs++;
    suspect->seen_ns = now_ns;
    suspect->until_ns = now_ns + (wait_ns < DEATH_WAIT_NS ? wait_ns : DEATH_WAIT_NS);
    suspect->failure = FAILURE_TIMEOUT;
}

/* A process can be scanned and dumped at the same time. */
static bool is_blamed(const struct quarantine *quarantine, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same(&quarantine->scans[i], &quarantine->scans[index]))
            return true;
    return false;
}

void quarantine_scanner_died(struct quarantine *quarantine, uint64_t now_ns)
{
    for (size_t i = 0; i < quarantine->scan_count && !quarantine->is_death_explained; i++) {
        if (is_blamed(quarantine, i))
            continue;
        struct suspect *suspect = suspect_of(quarantine, &quarantine->scans[i]);
        if (now_ns - suspect->seen_ns > FORGIVEN_NS)
            suspect->deaths = 0;
        suspect->seen_ns = now_ns;
        if (++suspect->deaths <= DEATHS_ALLOWED)
            continue;
        suspect->until_ns = now_ns + DEATH_WAIT_NS;
        suspect->failure = FAILURE_CRASHED;
    }
    quarantine->scan_count = 0;
    quarantine->is_death_explained = false;
}

bool quarantine_message(const struct quarantine *quarantine, size_t index, uint64_t now_ns,
                        struct message_quarantine *ret)
{
    const struct suspect *suspect = &quarantine->suspects[index];
    bool is_left_alone = suspect->until_ns > now_ns;
    *ret = (struct message_quarantine){.process = suspect->process,
                                       .until_ns = is_left_alone ? suspect->until_ns : 0,
                                       .failure = suspect->failure,
                                       .is_suspect = suspect->deaths > 0};
    return is_left_alone || suspect->deaths > 0;
}
