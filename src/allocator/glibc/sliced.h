/*
 * sliced.h - a walk in slices of time: the target is stopped for a moment, a part of a segment is walked, it
 * runs for at least as long, and so on.
 *
 * What a slice found is kept aside and handed on after the target was let go, and only if the holder confirms
 * that it held throughout; else the slice is walked again. So nothing is written, and nobody is waited for,
 * while the target stands still. Lists, books and mmapped chunks are read between the slices, as in a live
 * scan.
 */
#ifndef ALLOCATOR_GLIBC_SLICED_H
#define ALLOCATOR_GLIBC_SLICED_H

#include "allocator/allocator.h"
#include "allocator/glibc/walk.h"
#include "base/reserve.h"

/** The slices of one scan. */
struct slicer {
    struct chunk_sink sink; /* first: gets the chunks of a slice */
    struct holder *holder;
    struct walk *walk;
    struct chunk *chunks; /* of the slice under way, in chunk_memory */
    size_t count, room;
    struct reserve chunk_memory;
    struct reserve reserve; /* memory for what is done in a stop */
    uint64_t budget_ns;     /* longest stop */
    uint64_t share_ns;      /* of it for the walk */
    uint64_t live_at_ns;    /* half of the time is over by then: the rest is walked live */
    unsigned failures;      /* slices in a row that were not held throughout */
    bool is_off;            /* it cannot be stopped: the rest is walked live */
    enum mode_why why;
    uint64_t pause_ns, max_pause_ns; /* sum, longest */
    struct scan_timing *stops;       /* scan_request's; may be NULL */
};

/** Take memory for the slices of a scan; slicer_deinit() gives it back. */
enum status slicer_init(struct slicer *slicer, const struct scan_request *request, struct walk *walk,
                        struct error *err) must_check;
void slicer_deinit(struct slicer *slicer);

/** The stops so far, and how what was walked last was walked; no times of day. */
struct scan_timing slicer_timing(const struct slicer *slicer);

/** As walk_segment(), in slices. */
enum status sliced_walk_segment(struct slicer *slicer, const struct glibc_segment *segment,
                                struct error *err) must_check;

#endif
