/* walk_chain.h - where the walk of one segment stands; shared by the walk and its recovery. */
#ifndef ALLOCATOR_GLIBC_WALK_CHAIN_H
#define ALLOCATOR_GLIBC_WALK_CHAIN_H

#include "allocator/glibc/walk.h"

#define CHECKPOINTS 64u

struct walk_chain {
    struct walk *walk;
    const struct glibc_segment *segment;
    struct glibc_arena *arena;
    uint64_t at;        /* the chunk that is next */
    uint64_t field;     /* its size field */
    uint64_t limit;     /* top, or the terminator of an older sub-heap */
    uint64_t end;       /* of the segment, as top moves */
    bool has_top;       /* the segment ends with top, as it is now */
    uint64_t slice_end; /* where the marks held now end */
    bool has_marks;     /* there are any up to there */
    bool has_cut_top;   /* it passed a piece that is being cut off top */
    bool is_paused;     /* chain_walk() ended before the segment did */
    /* boundaries known good a moment ago, a window apart: where a live walk can resume */
    uint64_t checkpoints[CHECKPOINTS];
    uint64_t checkpoint_count;
    unsigned failures_here; /* how often it broke at `at` with the same bytes */
    uint64_t failed_at, failed_field, failed_since_ns;
    unsigned resumes; /* stops in a row after which it could not go on */
};

enum recovery {
    RECOVERY_RESUMED, /* at and field are set: go on */
    RECOVERY_ENDED,   /* nothing provable is left in this segment */
    RECOVERY_LATER    /* not at this moment: look again after the target has run */
};

/** Set up the walk of one segment. */
enum status chain_begin(struct walk_chain *chain, struct walk *walk, const struct glibc_segment *segment,
                        struct error *err) must_check;

/** Read its first header; false: nothing of the segment can be read. */
bool chain_seek_start(struct walk_chain *chain);

/** Walk on from chain->at to the segment's end, or until the slice of time is over (is_paused). */
enum status chain_walk(struct walk_chain *chain, struct error *err) must_check;

/** What the books of a live process say of the segment now. */
enum chain_news {
    CHAIN_SAME,
    CHAIN_MOVED, /* its end is another: has_top, limit and end are renewed */
    CHAIN_GONE   /* its memory is the arena's no more */
};

/** Read the books of the segment again. @chain may stand behind the new limit: then the heap has shrunk. */
enum chain_news chain_renew(struct walk_chain *chain);

/** The chain broke at chain->at, whose header was read. */
enum recovery recover_broken(struct walk_chain *chain, enum note_kind kind);

/** The header at @address cannot be read (absent, swapped, unmapped); chain->at is the last one that could.
 */
enum recovery recover_hole(struct walk_chain *chain, uint64_t address);

/**
 * The target ran since chain->at was known to be a boundary, and stands still now: go on there, or at the
 * next boundary that a chain from an earlier one proves. What stop after stop shows with the same bytes is
 * corrupt.
 */
enum recovery recover_after_run(struct walk_chain *chain);

/** Hold the marks of the slice that has @address; sets slice_end and has_marks. */
enum status chain_enter_slice(struct walk_chain *chain, uint64_t address, struct error *err) must_check;

/**
 * Hold @need bytes from @address on, or only its header: an aligned block begins a page, and where the
 * program never touched it that page is not there.
 */
bool chain_load(struct walk_chain *chain, uint64_t address, uint64_t need, uint64_t limit);

/** Read the header at @address into at and field; false: it cannot be read. */
bool chain_seek(struct walk_chain *chain, uint64_t address);

#endif
