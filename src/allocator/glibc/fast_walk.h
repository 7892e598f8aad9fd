/* fast_walk.h - the loop from header to header while nothing is odd; inside the walk only. */
#ifndef ALLOCATOR_GLIBC_FAST_WALK_H
#define ALLOCATOR_GLIBC_FAST_WALK_H

#include "allocator/glibc/walk_chain.h"

/** Why the loop ended. */
enum stop_reason {
    AT_LIMIT,      /* arrived at top or the terminator */
    BAD_SIZE,      /* the header at `at` cannot be, or is a fence */
    BAD_FOOTER,    /* free, but its size is not repeated behind it */
    HOLE,          /* the header behind `at` cannot be read */
    MARKS_CHANGED, /* from a slice with marks to one without, or back; never returned */
    PAUSED,        /* the slice of time is over: go on here later */
    STOPPED,       /* a sink wants no more */
    TIMED_OUT,
    FAILED /* no memory */
};

/** Walk on from chain->at, whose header is in chain->field, each chunk into its state and to the sinks. */
enum stop_reason fast_walk(struct walk_chain *chain);

#endif
