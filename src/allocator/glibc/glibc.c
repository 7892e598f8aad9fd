/* glibc.c - a scan: find the heap, run a pass over it, live or under a stop. */
#include "allocator/glibc/glibc.h"

#include <stdlib.h>
#include <time.h>

#include "allocator/glibc/held.h"
#include "allocator/glibc/locate.h"
#include "allocator/glibc/pass.h"
#include "allocator/glibc/result.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "target/page_view.h"

#define LOCATE_TRIES 10

static void scoped_locations_run(struct glibc_locations *locations)
{
    free(locations->rows);
}

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
    if (request->stops)
        request->stops->mode = CONSISTENCY_SLICED;
    enum status status = scan_running(target, request, maps, locations, &pass, ret, err);
    if (status != STATUS_OK)
        return status;
    (*ret)->timing = slicer_timing(&pass->slicer);
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

/* Whether a stop that could not be had leaves the live way; then @stops says so, with the reason. */
static bool is_live_instead(enum status status, struct scan_timing *stops)
{
    if (status != STATUS_TRACED && status != STATUS_TOO_LARGE)
        return false;
    stops->mode = CONSISTENCY_LIVE;
    stops->why = status == STATUS_TRACED ? MODE_WHY_TRACED : MODE_WHY_THREADS;
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
    struct scan_timing stops = {.mode = CONSISTENCY_LIVE, .why = MODE_WHY_REQUESTED};
    enum status status = STATUS_OK;
    bool is_live = true;
    if (request->consistency == CONSISTENCY_SNAPSHOT && request->holder) {
        status = held_scan(target, request, locations, &stops, ret, err);
        is_live = is_live_instead(status, &stops);
    }
    if (request->stops)
        *request->stops = stops;
    if (!is_live)
        return status;
    status = scan_live(target, request, maps, locations, ret, err);
    if (status == STATUS_OK)
        (*ret)->timing = stops;
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
    bool is_sound =
        snapshot->numbers.completeness.corrupt_count == 0 && result_is_reconciled(&snapshot->numbers);
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
    scoped(scoped_locations_run) struct glibc_locations locations = {0};
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
