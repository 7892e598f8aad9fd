/*
 * glibc.c - a scan: find the heap, run a pass over it, live or under a stop.
 *
 * Under a stop a thread may have been caught inside malloc: then it is let go for a millisecond and stopped
 * again, a few times within the budget.
 */
#include "allocator/glibc/glibc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allocator/glibc/locate.h"
#include "allocator/glibc/pass.h"
#include "allocator/glibc/result.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "target/page_view.h"

#define LOCATE_TRIES 10
#define SNAPSHOT_TRIES 5
#define BETWEEN_STOPS_NS ((long)NS_PER_MS)

static void scoped_locations_run(struct glibc_locations *locations)
{
    free(locations->rows);
}

static void scoped_pass_end(struct pass **pass)
{
    pass_free(*pass);
}
#define scoped_pass __attribute__((cleanup(scoped_pass_end)))

static enum status build(const struct pass *pass, const struct glibc_locations *locations,
                         struct snapshot **ret, struct error *err)
{
    *ret = result_build(pass, locations);
    return *ret ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a result");
}

/* A pass over a heap that runs, in slices where the request says so; *@ret_pass is the caller's to free. */
static enum status scan_running(struct target *target, const struct scan_request *request,
                                const struct maps *maps, const struct glibc_locations *locations,
                                struct pass **ret_pass, struct snapshot **ret, struct error *err)
{
    enum status status =
        pass_run(target, request, maps, locations, false, request->deadline_ns, ret_pass, err);
    return status == STATUS_OK ? build(*ret_pass, locations, ret, err) : status;
}

static enum status scan_live(struct target *target, const struct scan_request *request,
                             const struct maps *maps, const struct glibc_locations *locations,
                             struct snapshot **ret, struct error *err)
{
    scoped_pass struct pass *pass = NULL;
    return scan_running(target, request, maps, locations, &pass, ret, err);
}

/* In slices: what cannot be had under stops is had live. */
static enum status scan_sliced(struct target *target, const struct scan_request *request,
                               const struct maps *maps, const struct glibc_locations *locations,
                               struct snapshot **ret, struct error *err)
{
    scoped_pass struct pass *pass = NULL;
    enum status status = scan_running(target, request, maps, locations, &pass, ret, err);
    if (status != STATUS_OK)
        return status;
    const struct slicer *slicer = &pass->slicer;
    (*ret)->timing.pause_ns = slicer->pause_ns;
    (*ret)->timing.max_pause_ns = slicer->max_pause_ns;
    (*ret)->timing.mode = slicer->is_off ? CONSISTENCY_LIVE : CONSISTENCY_SLICED;
    (*ret)->timing.why = slicer->is_off ? slicer->why : MODE_WHY_REQUESTED;
    return STATUS_OK;
}

/* What the stops of one scan were. */
struct stops {
    uint64_t sum_ns, max_ns;
};

/* One stop and the pass inside it. */
static enum status scan_held_once(struct target *target, const struct scan_request *request,
                                  const struct glibc_locations *locations, uint64_t budget_ns,
                                  struct stops *stops, struct snapshot **ret, struct error *err)
{
    struct holder *holder = request->holder;
    enum status status = holder->ops->begin(holder, target->pid, budget_ns, err);
    /* its threads are too many, or did not stop in time: told apart from a pass that took too long */
    if (status != STATUS_OK)
        return status == STATUS_TIMEOUT ? STATUS_TOO_LARGE : status;
    scoped_maps struct maps maps = {0};
    scoped_pass struct pass *pass = NULL;
    uint64_t deadline = min_u64(request->deadline_ns, clock_monotonic_ns() + budget_ns);
    status = target_maps(target, &maps, err);
    if (status == STATUS_OK)
        status = pass_run(target, request, &maps, locations, true, deadline, &pass, err);
    struct hold_report report = {0};
    holder->ops->end(holder, &report);
    stops->sum_ns += report.pause_ns;
    stops->max_ns = max_u64(stops->max_ns, report.pause_ns);
    if (status != STATUS_OK)
        return status;
    if (!report.is_confirmed)
        return error_set(err, STATUS_TIMEOUT,
                         "the stop ended before the scan: raise scan.snapshot_max_pause, or scan live");
    return build(pass, locations, ret, err);
}

static bool are_checks_sound(const struct scan_numbers *numbers)
{
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        if (!numbers->checks[check].is_reconciled)
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
    if (now->completeness.corrupt_count == 0 && are_checks_sound(now))
        return false;
    return !before || before->numbers.completeness.corrupt_count != now->completeness.corrupt_count ||
           before->numbers.completeness.notes[0].address != now->completeness.notes[0].address ||
           memcmp(before->numbers.checks, now->checks, sizeof now->checks) != 0;
}

static enum status scan_held(struct target *target, const struct scan_request *request,
                             const struct glibc_locations *locations, struct snapshot **ret,
                             struct error *err)
{
    struct stops stops = {0};
    struct snapshot *snapshot = NULL;
    enum status status = STATUS_OK;
    bool may_retry = !request->chunks || request->chunks->restart;
    for (int tries = 1;; tries++) {
        uint64_t budget = request->snapshot_budget_ns - min_u64(request->snapshot_budget_ns, stops.sum_ns);
        struct snapshot *again = NULL;
        struct error trouble = {0};
        status = scan_held_once(target, request, locations, budget, &stops, &again, &trouble);
        if (status != STATUS_OK) {
            /* an earlier stop gave a picture, with its orphans said: better than none */
            if (!snapshot && err)
                *err = trouble;
            break;
        }
        bool may_be_better = is_torn(again, snapshot);
        snapshot_unref(snapshot);
        snapshot = again;
        if (!may_be_better || !may_retry || tries == SNAPSHOT_TRIES ||
            stops.sum_ns * 2 > request->snapshot_budget_ns)
            break;
        nanosleep(&(struct timespec){.tv_nsec = BETWEEN_STOPS_NS}, NULL);
        if (request->chunks)
            request->chunks->restart(request->chunks);
    }
    if (!snapshot)
        return status;
    snapshot->timing.pause_ns = stops.sum_ns;
    snapshot->timing.max_pause_ns = stops.max_ns;
    snapshot->timing.mode = CONSISTENCY_SNAPSHOT;
    *ret = snapshot;
    return STATUS_OK;
}

/* A target in which nothing moves is exact without a stop. */
static enum status scan_frozen(struct target *target, const struct scan_request *request,
                               const struct maps *maps, const struct glibc_locations *locations,
                               struct snapshot **ret, struct error *err)
{
    scoped_pass struct pass *pass = NULL;
    enum status status = pass_run(target, request, maps, locations, true, request->deadline_ns, &pass, err);
    if (status == STATUS_OK)
        status = build(pass, locations, ret, err);
    if (status == STATUS_OK)
        (*ret)->timing.mode = CONSISTENCY_SNAPSHOT;
    return status;
}

/* Whether a stop that could not be had leaves the live way, and the reason that is said with it. */
static bool is_live_instead(enum status status, enum mode_why *why)
{
    if (status != STATUS_TRACED && status != STATUS_TOO_LARGE)
        return false;
    *why = status == STATUS_TRACED ? MODE_WHY_TRACED : MODE_WHY_THREADS;
    return true;
}

static bool are_cold(const struct glibc_locations *locations)
{
    for (size_t i = 0; i < locations->count; i++)
        if (!locations->rows[i].is_cold)
            return false;
    return true;
}

/* Drop the libcs whose malloc was never used, so that the first row is one in use. */
static void drop_cold(struct glibc_locations *locations)
{
    size_t kept = 0;
    for (size_t i = 0; i < locations->count; i++)
        if (!locations->rows[i].is_cold)
            locations->rows[kept++] = locations->rows[i];
    locations->count = kept;
}

static enum status scan_found(struct target *target, const struct scan_request *request,
                              const struct maps *maps, struct glibc_locations *locations,
                              struct snapshot **ret, struct error *err)
{
    if (are_cold(locations)) {
        *ret = result_cold(&locations->rows[0]);
        return *ret ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a result");
    }
    drop_cold(locations);
    if (target->is_frozen)
        return scan_frozen(target, request, maps, locations, ret, err);
    if (request->consistency == CONSISTENCY_SLICED && request->holder)
        return scan_sliced(target, request, maps, locations, ret, err);
    enum mode_why why = MODE_WHY_REQUESTED;
    if (request->consistency == CONSISTENCY_SNAPSHOT && request->holder) {
        enum status status = scan_held(target, request, locations, ret, err);
        if (status == STATUS_OK || !is_live_instead(status, &why))
            return status;
    }
    enum status status = scan_live(target, request, maps, locations, ret, err);
    if (status == STATUS_OK)
        (*ret)->timing.why = why;
    return status;
}

/* A heap that grows between the reading of the mappings and that of the heap looks wrong: look again. */
static enum status locate(struct target *target, const struct scan_request *request, struct maps *maps,
                          struct glibc_locations *locations, struct error *err)
{
    enum status status = STATUS_INCONSISTENT;
    for (unsigned i = 0; i < LOCATE_TRIES && status == STATUS_INCONSISTENT; i++) {
        /* it may wait for a processor, or for a page, in the midst of a malloc: let it go on, for a fifth of
         * a second in all */
        if (i > 0 && !target->is_frozen)
            nanosleep(&(struct timespec){.tv_nsec = (long)(NS_PER_MS << min_u64(i - 1, 7)) / 2}, NULL);
        maps_deinit(maps);
        status = target_maps(target, maps, err);
        if (status == STATUS_OK)
            status = glibc_locate(target, maps, request->symbols, request->cache, request->deadline_ns,
                                  locations, err);
    }
    return status;
}

/* A glibc newer than the rows is believed as far as its own books bear it out, not on its word. */
static enum status check_newer(const struct glibc_locations *locations, const struct snapshot *snapshot,
                               struct error *err)
{
    unsigned newest = 0;
    bool is_sound = snapshot->numbers.completeness.corrupt_count == 0 && are_checks_sound(&snapshot->numbers);
    for (size_t i = 0; i < locations->count; i++)
        newest = (unsigned)max_u64(newest, locations->rows[i].layout.version);
    if (newest <= layout_newest_verified() || is_sound)
        return STATUS_OK;
    return error_set(
        err, STATUS_INCONSISTENT,
        "glibc 2.%u is newer than what this program knows (2.%u), and its heap does not agree with "
        "its own books: install its debug symbols (libc6-dbg) or a newer malloc_exporter",
        newest, layout_newest_verified());
}

static enum status glibc_scan(struct target *target, const struct scan_request *request,
                              struct snapshot **ret, struct error *err)
{
    uint64_t begin_ns = clock_monotonic_ns(), read_before = target->read_bytes;
    scoped_maps struct maps maps = {0};
    __attribute__((cleanup(scoped_locations_run))) struct glibc_locations locations = {0};
    enum status status = locate(target, request, &maps, &locations, err);
    if (status == STATUS_OK && locations.count == 0)
        return error_set(err, STATUS_UNSUPPORTED, "no glibc malloc in the process");
    if (status != STATUS_OK)
        return status;
    page_view_prepare(target, locations.rows[0].main_arena_addr);
    struct snapshot *snapshot = NULL;
    status = scan_found(target, request, &maps, &locations, &snapshot, err);
    if (status == STATUS_OK)
        status = check_newer(&locations, snapshot, err);
    if (status != STATUS_OK) {
        snapshot_unref(snapshot);
        return status;
    }
    snapshot->pid = target->pid;
    snapshot->timing.duration_ns = clock_monotonic_ns() - begin_ns;
    snapshot->timing.end_realtime_ns = clock_realtime_ns();
    snapshot->numbers.read_bytes = target->read_bytes - read_before;
    *ret = snapshot;
    return STATUS_OK;
}

const struct allocator_ops glibc_allocator = {.name = "glibc", .scan = glibc_scan};
