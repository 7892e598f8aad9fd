/*
 * held.c - see held.h.
 *
 * While the target stands still no memory may be asked for. What a pass takes is seen beforehand, by a
 * rehearsal while the target runs, and set aside with room to spare; where it is too little all the same the
 * target is let go and stopped again with more. A thread may have been caught inside malloc: then it is let
 * go for a millisecond and stopped again, a few times within the budget; where the heap looks damaged, once
 * each of its threads was seen out of malloc (alibi.h). Where none was, no damage is claimed.
 */
#include "allocator/glibc/held.h"

#include <string.h>
#include <time.h>

#include "allocator/glibc/alibi.h"
#include "allocator/glibc/pass.h"
#include "allocator/glibc/result.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/reserve.h"

#define SNAPSHOT_TRIES 5
#define BETWEEN_STOPS_NS ((long)NS_PER_MS)
/* beside half as much again: what the walk takes that a rehearsal does not show */
#define SPARE_BYTES (UINT64_C(1) << 20)
/* 40,000 arenas, or a million threads */
#define RESERVE_BYTES_MAX (UINT64_C(1) << 30)

/* The stops of one scan, and the memory for what is done in them. */
struct held {
    struct target *target;
    const struct scan_request *request;
    const struct glibc_locations *locations;
    struct reserve reserve;
    size_t reserve_bytes;
    uint64_t sum_ns, max_ns; /* of the stops */
    bool is_doubtful;        /* a thread can have been in the midst of malloc since the last stop but one */
};

/* How much memory a pass takes: STATUS_OK also where that cannot be seen; then a guess has to do. */
static enum status rehearse(struct held *held, struct error *err)
{
    __attribute__((cleanup(reserve_deinit))) struct reserve measured = {0};
    held->reserve_bytes = 0;
    enum status status = reserve_prepare(&measured, RESERVE_BYTES_MAX, true, err);
    if (status != STATUS_OK)
        return status;
    reserve_enter(&measured);
    {
        scoped_maps struct maps maps = {0};
        status = target_maps(held->target, &maps, err);
        if (status == STATUS_OK)
            status = pass_rehearse(held->target, held->request, &maps, held->locations,
                                   held->request->deadline_ns, err);
    }
    reserve_enter(NULL);
    held->reserve_bytes = measured.peak + measured.peak / 2 + SPARE_BYTES;
    return status;
}

/* The pass of one stop; on success *@ret is the caller's to free, behind the stop. */
static enum status run_pass(struct held *held, struct maps *maps, struct pass **ret, struct error *err)
{
    uint64_t deadline_ns = min_u64(held->request->deadline_ns, held->request->holder->release_by_ns);
    enum status status = target_maps(held->target, maps, err);
    if (status == STATUS_OK)
        status = pass_run(held->target, held->request, maps, held->locations, true, deadline_ns, ret, err);
    return status;
}

static void count_stop(struct held *held, uint64_t pause_ns)
{
    held->sum_ns += pause_ns;
    held->max_ns = max_u64(held->max_ns, pause_ns);
}

/* One stop and the pass inside it. */
static enum status scan_once(struct held *held, uint64_t budget_ns, struct snapshot **ret, struct error *err)
{
    struct holder *holder = held->request->holder;
    enum status status = reserve_prepare(&held->reserve, held->reserve_bytes, false, err);
    if (status != STATUS_OK)
        return status;
    status = holder->ops->begin(holder, held->target->pid, budget_ns, err);
    if (status != STATUS_OK) {
        count_stop(held, holder->vain_pause_ns);
        /* its threads are too many, or did not stop in time: told apart from a pass that took too long */
        return status == STATUS_TIMEOUT ? STATUS_TOO_LARGE : status;
    }
    scoped_maps struct maps maps = {0};
    scoped_pass struct pass *pass = NULL;
    reserve_enter(&held->reserve);
    status = run_pass(held, &maps, &pass, err);
    struct hold_report report = {0};
    holder->ops->end(holder, &report);
    reserve_enter(NULL);
    count_stop(held, report.pause_ns);
    if (status != STATUS_OK || held->reserve.is_exceeded)
        return status;
    if (!report.is_confirmed)
        return error_set(err, STATUS_TIMEOUT,
                         "the stop ended before the scan: raise scan.snapshot_max_pause, or scan live");
    *ret = result_build(pass, held->locations);
    return *ret ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a result");
}

/* The same, again with more memory where what was set aside did not do. */
static enum status scan_with_memory(struct held *held, struct snapshot **ret, struct error *err)
{
    for (;;) {
        uint64_t budget_ns =
            held->request->snapshot_budget_ns - min_u64(held->request->snapshot_budget_ns, held->sum_ns);
        if (budget_ns == 0)
            return error_set(err, STATUS_TIMEOUT,
                             "the time for stops is over: raise scan.snapshot_max_pause");
        enum status status = scan_once(held, budget_ns, ret, err);
        if (!held->reserve.is_exceeded)
            return status;
        bool may_retry = !held->request->chunks || held->request->chunks->restart;
        if (held->reserve_bytes >= RESERVE_BYTES_MAX || !may_retry)
            return error_set(err, STATUS_NO_MEMORY, "the memory set aside for a stop was too little");
        held->reserve_bytes = min_u64(held->reserve_bytes * 4, RESERVE_BYTES_MAX);
        held->reserve.is_exceeded = false;
        if (held->request->chunks)
            held->request->chunks->restart(held->request->chunks);
    }
}

static bool is_damaged(const struct scan_numbers *numbers)
{
    return numbers->completeness.corrupt_count > 0 || !result_is_reconciled(numbers);
}

/* Let the target run before it is stopped again: if its heap looks damaged until no thread can be at work on
 * it still. */
static void let_run(struct held *held, bool looks_damaged)
{
    struct alibi alibi = {0};
    bool is_begun;
    do {
        nanosleep(&(struct timespec){.tv_nsec = BETWEEN_STOPS_NS}, NULL);
        if (looks_damaged)
            alibi_look(&alibi, held->target, NS_PER_SECOND, true);
        /* of more threads than can be looked at nothing is known: then what lasts is believed */
        is_begun = alibi.is_begun;
    } while (is_begun && !alibi_holds(&alibi, NS_PER_SECOND) && !alibi_is_spent(&alibi) &&
             clock_monotonic_ns() < held->request->deadline_ns);
    held->is_doubtful = is_begun && !alibi_holds(&alibi, NS_PER_SECOND);
}

/* What looks damaged may be a thread's work: it is not told, and no check is said to fail. */
static void disclaim(struct scan_numbers *numbers)
{
    numbers->completeness.corrupt_count = 0;
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        if (!numbers->checks[check].is_reconciled)
            numbers->checks[check] = (struct check_result){.is_known = false, .is_reconciled = true};
}

static bool have_same_checks(const struct scan_numbers *a, const struct scan_numbers *b)
{
    for (size_t i = 0; i < sizeof a->checks / sizeof *a->checks; i++)
        if (a->checks[i].is_known != b->checks[i].is_known ||
            a->checks[i].is_reconciled != b->checks[i].is_reconciled ||
            a->checks[i].difference_bytes != b->checks[i].difference_bytes)
            return false;
    return true;
}

/*
 * Whether a thread was caught inside malloc, so that the next stop shows a sound heap. What the stop before
 * showed just so (@before, may be NULL) is damage, and stays.
 */
static bool is_torn(const struct snapshot *snapshot, const struct snapshot *before)
{
    const struct scan_numbers *now = &snapshot->numbers;
    if (now->orphans > 0)
        return true;
    if (!is_damaged(now))
        return false;
    return !before || before->numbers.completeness.corrupt_count != now->completeness.corrupt_count ||
           before->numbers.completeness.notes[0].address != now->completeness.notes[0].address ||
           !have_same_checks(&before->numbers, now);
}

/* Stop after stop until one shows a sound heap. NULL: none gave a picture; *@status and @err say why. */
static struct snapshot *scan_until_sound(struct held *held, enum status *status, struct error *err)
{
    const struct scan_request *request = held->request;
    struct snapshot *snapshot = NULL;
    bool may_retry = !request->chunks || request->chunks->restart;
    for (int tries = 1;; tries++) {
        struct snapshot *again = NULL;
        struct error trouble = {0};
        *status = scan_with_memory(held, &again, &trouble);
        if (*status != STATUS_OK) {
            /* an earlier stop gave a picture, with its orphans said: better than none */
            if (!snapshot && err)
                *err = trouble;
            return snapshot;
        }
        bool may_be_better = is_torn(again, snapshot);
        snapshot_unref(snapshot);
        snapshot = again;
        if (!may_be_better || !may_retry || tries == SNAPSHOT_TRIES ||
            held->sum_ns * 2 > request->snapshot_budget_ns)
            return snapshot;
        let_run(held, is_damaged(&snapshot->numbers));
        if (request->chunks)
            request->chunks->restart(request->chunks);
    }
}

enum status held_scan(struct target *target, const struct scan_request *request,
                      const struct glibc_locations *locations, struct scan_timing *stops,
                      struct snapshot **ret, struct error *err)
{
    struct held held = {.target = target, .request = request, .locations = locations};
    enum status status = rehearse(&held, err);
    if (status != STATUS_OK)
        return status;
    struct snapshot *snapshot = scan_until_sound(&held, &status, err);
    *stops = (struct scan_timing){
        .pause_ns = held.sum_ns, .max_pause_ns = held.max_ns, .mode = CONSISTENCY_SNAPSHOT};
    reserve_deinit(&held.reserve);
    if (!snapshot)
        return status;
    if (held.is_doubtful && is_damaged(&snapshot->numbers))
        disclaim(&snapshot->numbers);
    snapshot->timing = *stops;
    *ret = snapshot;
    return STATUS_OK;
}
