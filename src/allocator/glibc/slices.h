/*
 * slices.h - the slices of marks that several walks share: each is made once, by the first walk that comes to
 * it, in one of as many maps as there are walks.
 */
#ifndef ALLOCATOR_GLIBC_SLICES_H
#define ALLOCATOR_GLIBC_SLICES_H

#include <pthread.h>

#include "allocator/glibc/marks.h"
#include "base/reserve.h"

/** A map and the slice that it holds. */
struct slice_map {
    struct marks marks;
    unsigned users;
    bool is_made;
};

/** The maps are its own. */
struct slices {
    pthread_mutex_t lock;
    struct slice_map *maps;
    size_t count;
    struct reserve reserve;
};

/** Maps for @count walks; memory is used where a slice has marks. STATUS_NO_MEMORY. */
enum status slices_init(struct slices *slices, size_t count, struct error *err) must_check;
void slices_deinit(struct slices *slices);

/** No slice is made yet: another pass begins. */
void slices_restart(struct slices *slices);

/**
 * Let @marks, a copy of a heap's marks or what this left of it, hold @slice; @heap is what reads for this
 * walk. The slice that the heap's own marks hold must stay as it is. STATUS_TIMEOUT, STATUS_NO_MEMORY.
 */
enum status slices_enter(struct slices *slices, struct marks *marks, struct glibc_heap *heap, uint64_t slice,
                         struct error *err) must_check;

/** @marks needs its slice no more, and holds none. */
void slices_leave(struct slices *slices, struct marks *marks);

#endif
