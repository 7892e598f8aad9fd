/* libcs_process.h - a process with several libcs, each with heaps of its own (fuzz/heap_image.h). */
#ifndef UNIT_LIBCS_PROCESS_H
#define UNIT_LIBCS_PROCESS_H

#include "fuzz/heap_image.h"

#define LIBCS_MAX 3

/** Its threads are those of the first libc. The targets of the libcs stay the caller's. */
struct libcs_process {
    struct target base; /* with LIBCS_PROCESS as its ops */
    unsigned count;
    struct target *libcs[LIBCS_MAX];
};

extern const struct target_ops LIBCS_PROCESS;

#endif
