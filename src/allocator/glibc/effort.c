/* effort.c - see effort.h. */
#include "allocator/glibc/effort.h"

#include "base/clock.h"

/* A libc costs 10 reads and 100 KiB, a thousand arenas one read each; a program of a thousand modules that
 * are all searched some 30,000 reads and 50 MiB. */
#define CALLS_MAX 500000u
#define BYTES_MAX (UINT64_C(512) << 20)

struct effort effort_begin(const struct target *target, uint64_t deadline_ns)
{
    return (struct effort){.deadline_ns = deadline_ns,
                           .calls_end = target->read_calls + CALLS_MAX,
                           .bytes_end = target->read_bytes + BYTES_MAX};
}

bool effort_is_spent(struct effort *effort, const struct target *target)
{
    effort->is_spent = effort->is_spent || target->read_calls >= effort->calls_end ||
                       target->read_bytes >= effort->bytes_end || clock_monotonic_ns() >= effort->deadline_ns;
    return effort->is_spent;
}
