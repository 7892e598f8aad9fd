/*
 * pass.h - one pass over all heaps of a process: the books read, the lists followed, every segment walked in
 * the order of addresses with the mmapped chunks between, the sums held against the books.
 */
#ifndef ALLOCATOR_GLIBC_PASS_H
#define ALLOCATOR_GLIBC_PASS_H

#include "allocator/allocator.h"
#include "allocator/glibc/books.h"
#include "allocator/glibc/page_counter.h"
#include "allocator/glibc/sliced.h"
#include "allocator/glibc/walk.h"
#include "analysis/residency.h"

/** Everything of one pass; large, so it lives on the heap. One libc is one row of @heaps and @marks. */
struct pass {
    struct target *target;
    const struct scan_request *request;
    const struct maps *maps;
    struct glibc_heap *heaps;
    struct marks *marks;
    size_t heap_count;
    uint32_t arena_count;
    uint64_t deadline_ns;
    bool may_note_links;              /* see links.h */
    bool is_rehearsal;                /* no list is followed but to choose between them */
    struct page_view walk_pages;      /* ahead, where the window reads */
    struct page_view residency_pages; /* behind, where chunks are summed up */
    struct page_counter page_counter; /* of residency_pages */
    struct totals totals;
    struct residency_sums residency;
    struct residency segments;
    uint64_t trimmable_top_bytes;
    struct walk walk;
    bool is_sliced;
    struct slicer slicer; /* where the walk is made in slices of time: its chunks are not NULL */
    struct tally mmapped_found;
    struct glibc_par par_after;
    struct check_result checks[CHECK_COUNT];
};

/**
 * Run one pass over the libcs in @locations. @is_held: the target stands still; then all memory is taken from
 * the reserve in force (base/reserve.h). On success *@ret is the pass
 * with all sums; pass_free() ends it. STATUS_TIMEOUT, STATUS_STOPPED, STATUS_FAULT, STATUS_NO_MEMORY.
 */
enum status pass_run(struct target *target, const struct scan_request *request, const struct maps *maps,
                     const struct glibc_locations *locations, bool is_held, uint64_t deadline_ns,
                     struct pass **ret, struct error *err) must_check;

/**
 * All of a pass but its walk, over a process that runs: what it takes from the reserve in force, a pass in a
 * stop takes too, and little more. As pass_run() otherwise.
 */
enum status pass_rehearse(struct target *target, const struct scan_request *request, const struct maps *maps,
                          const struct glibc_locations *locations, uint64_t deadline_ns,
                          struct error *err) must_check;

/**
 * What the walk has to know before: the books of each libc read, its lists followed, the receivers of its
 * chunks set up. STATUS_TIMEOUT, STATUS_FAULT, STATUS_NO_MEMORY.
 */
enum status pass_prepare(struct pass *pass, const struct glibc_locations *locations, bool is_held,
                         struct error *err) must_check;

/**
 * The walk of a pass: all segments of all libcs in the order of addresses, with the mmapped chunks between.
 * STATUS_STOPPED, STATUS_TIMEOUT, STATUS_NO_MEMORY.
 */
enum status pass_walk(struct pass *pass, struct error *err) must_check;

/** Free; NULL is allowed. */
void pass_free(struct pass *pass);

static inline void scoped_pass_run(struct pass **pass)
{
    pass_free(*pass);
}
/** pass_free() at the end of the scope. */
#define scoped_pass __attribute__((cleanup(scoped_pass_run)))

#endif
