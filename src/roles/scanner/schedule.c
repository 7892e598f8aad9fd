/* schedule.c - see schedule.h. */
#include "roles/scanner/schedule.h"

#include "base/checked.h"
#include "base/clock.h"
#include "roles/scanner/scan_process.h"

#define WAIT_MAX_NS (3600 * NS_PER_SECOND)
/* What allocator a program has can only change by an exec, which makes it another one. */
#define UNSUPPORTED_NS (600 * NS_PER_SECOND)
/* But a program that was just started may not have loaded its libc yet; and the kernel calls a page that it
 * could not bring in just then one that is not there (process_vm_readv(2): EFAULT), its libc's too. */
#define LOADING_NS (5 * NS_PER_SECOND)
#define LOOKS_MIN 2u

static bool is_scheduled(const struct tracked *process)
{
    return process->group && process->skip == SKIP_NOT && !process->is_scanning && !process->has_ended;
}

/* The process that is due first, and when. */
static struct tracked *find_first(const struct scanner *scanner, uint64_t now_ns, uint64_t *next_ns)
{
    struct tracked *first = NULL;
    *next_ns = UINT64_MAX;
    for (size_t i = 0; i < scanner->table.count; i++) {
        struct tracked *process = scanner->table.items[i];
        if (!is_scheduled(process) || process->due_ns >= *next_ns)
            continue;
        const struct message_quarantine *quarantine =
            quarantines_find(&scanner->quarantines, &process->id, now_ns);
        uint64_t due_ns =
            quarantine && quarantine->until_ns > process->due_ns ? quarantine->until_ns : process->due_ns;
        if (due_ns >= *next_ns)
            continue;
        *next_ns = due_ns;
        first = process;
    }
    return first;
}

/* Whether @process must wait for scans under way: next to a suspect nothing is scanned. */
static bool must_wait(const struct scanner *scanner, const struct tracked *process)
{
    bool is_alone = quarantines_is_suspect(&scanner->quarantines, &process->id);
    for (size_t i = 0; scanner->quarantines.count && i < scanner->table.count; i++) {
        const struct tracked *other = scanner->table.items[i];
        if (other->is_scanning && (is_alone || quarantines_is_suspect(&scanner->quarantines, &other->id)))
            return true;
    }
    return false;
}

struct tracked *schedule_pick(const struct scanner *scanner, uint64_t now_ns, uint64_t *next_ns)
{
    struct tracked *first = find_first(scanner, now_ns, next_ns);
    if (!first || *next_ns > now_ns)
        return NULL;
    if (!must_wait(scanner, first))
        return first;
    *next_ns = UINT64_MAX;
    return NULL;
}

/* Of one process alone. */
static double base_interval_ns(const struct scanner *scanner, const struct tracked *process)
{
    double interval = (double)process->scan_config.interval_ns;
    double least = (double)process->last_cost_ns / scanner->config->limits.max_cpu;
    return interval > least ? interval : least;
}

uint64_t schedule_interval_ns(const struct scanner *scanner, const struct tracked *process)
{
    double scale = scanner->interval_scale > 1 ? scanner->interval_scale : 1;
    return (uint64_t)(base_interval_ns(scanner, process) * scale);
}

void schedule_update(struct scanner *scanner)
{
    double load = 0;
    for (size_t i = 0; i < scanner->table.count; i++) {
        const struct tracked *process = scanner->table.items[i];
        if (process->group && process->skip == SKIP_NOT && process->scan_config.interval_ns)
            load += (double)process->last_cost_ns / base_interval_ns(scanner, process);
    }
    scanner->interval_scale = load / scanner->config->limits.max_cpu;
}

uint64_t schedule_lag_ns(const struct scanner *scanner, uint64_t now_ns)
{
    uint64_t lag_ns = 0;
    for (size_t i = 0; i < scanner->table.count; i++) {
        const struct tracked *process = scanner->table.items[i];
        /* one that is new is due from when it was seen */
        uint64_t due_ns = max_u64(process->due_ns, process->first_seen_ns);
        if (is_scheduled(process) && due_ns < now_ns && now_ns - due_ns > lag_ns &&
            !quarantines_find(&scanner->quarantines, &process->id, now_ns))
            lag_ns = now_ns - due_ns;
    }
    return lag_ns;
}

uint64_t schedule_timeout_ns(const struct tracked *process)
{
    return process->scan_config.timeout_ns ? process->scan_config.timeout_ns
                                           : scan_timeout_ns(process->resident_bytes);
}

/*
 * Processes that were seen at once are tried at once, but then would be due at once for ever: the first wait
 * of each is cut short by another part of its interval (multiples of the golden ratio lie evenly), never
 * below what limits.max_cpu allows.
 */
static uint64_t first_wait_ns(struct scanner *scanner, const struct tracked *process, uint64_t interval_ns)
{
    static const double GOLDEN_RATIO = 0.6180339887498949;
    double part = GOLDEN_RATIO * (double)++scanner->spread_count;
    part -= (double)(uint64_t)part;
    double least = (double)process->last_cost_ns / scanner->config->limits.max_cpu;
    double wait = part * (double)process->scan_config.interval_ns;
    wait = wait > least ? wait : least;
    return wait < (double)interval_ns ? (uint64_t)wait : interval_ns;
}

void schedule_next(struct scanner *scanner, struct tracked *process, uint64_t begin_ns, uint64_t end_ns,
                   enum status status)
{
    uint64_t wait_ns = schedule_interval_ns(scanner, process), first_ns = wait_ns;
    if (!process->is_spread && status == STATUS_OK) {
        process->is_spread = true;
        first_ns = first_wait_ns(scanner, process, wait_ns);
    }
    process->planned_interval_ns = process->scan_config.interval_ns;
    process->timeouts = status == STATUS_TIMEOUT ? process->timeouts + 1 : 0;
    for (unsigned i = 0; i < process->timeouts && wait_ns < WAIT_MAX_NS; i++)
        wait_ns = wait_ns * 2 < WAIT_MAX_NS ? wait_ns * 2 : WAIT_MAX_NS;
    process->unsupported = status == STATUS_UNSUPPORTED ? process->unsupported + 1 : 0;
    process->is_final = process->unsupported >= LOOKS_MIN && begin_ns - process->first_seen_ns >= LOADING_NS;
    if (process->is_final && wait_ns < UNSUPPORTED_NS)
        wait_ns = UNSUPPORTED_NS;
    else if (status == STATUS_UNSUPPORTED && wait_ns > LOADING_NS)
        wait_ns = LOADING_NS;
    process->due_ns = begin_ns + (status == STATUS_OK ? first_ns : wait_ns);
    process->result.valid_until_ns = end_ns + 2 * wait_ns + schedule_timeout_ns(process);
}

bool schedule_adapt(struct scanner *scanner, struct tracked *process, uint64_t now_ns)
{
    bool waits_for_interval = !process->timeouts && !process->is_final && !process->is_scanning;
    if (!waits_for_interval || !process->scan_config.interval_ns ||
        process->scan_config.interval_ns >= process->planned_interval_ns)
        return false;
    process->planned_interval_ns = process->scan_config.interval_ns;
    uint64_t interval_ns = schedule_interval_ns(scanner, process);
    uint64_t valid_until_ns = now_ns + 2 * interval_ns + schedule_timeout_ns(process);
    process->due_ns = min_u64(process->due_ns, now_ns + first_wait_ns(scanner, process, interval_ns));
    bool is_shortened =
        process->result.state == PROCESS_STATE_OK && valid_until_ns < process->result.valid_until_ns;
    if (is_shortened)
        process->result.valid_until_ns = valid_until_ns;
    return is_shortened;
}
