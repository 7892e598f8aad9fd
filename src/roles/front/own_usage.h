/* own_usage.h - what our own processes use together. */
#ifndef ROLES_FRONT_OWN_USAGE_H
#define ROLES_FRONT_OWN_USAGE_H

#include <stdint.h>

/** Sums over the keeper and its children; descriptors and limits are this process'. */
struct own_usage {
    uint64_t cpu_ns; /* ended children included */
    uint64_t virtual_bytes, resident_bytes;
    uint64_t virtual_max_bytes; /* UINT64_MAX: no limit */
    uint64_t open_fds, max_fds;
};

/** Read it now from @procfs. What cannot be read counts as 0. */
void own_usage_read(const char *procfs, int32_t keeper_pid, struct own_usage *ret);

#endif
