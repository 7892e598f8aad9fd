/* tls_place.h - where a libc's TLS lies in every thread of its process. */
#ifndef ALLOCATOR_GLIBC_TLS_PLACE_H
#define ALLOCATOR_GLIBC_TLS_PLACE_H

#include "allocator/glibc/locate.h"

/** The same for all threads: below the thread pointer, and the module's number in the thread's dtv. */
struct tls_place {
    uint64_t offset;
    uint64_t module_id;
};

/**
 * Find it for @location by the loader's link_maps; for a libc in a namespace of its own, which no list leads
 * to, by the dtv of one of the @count @threads that used it. False: it cannot be found.
 */
bool tls_place_find(struct target *target, const struct maps *maps, const struct glibc_location *location,
                    struct tls_place *ret);

#endif
