/* stop_share.c - see stop_share.h. */
#include "roles/scanner/stop_share.h"

#include "base/clock.h"

#define RUN_PER_STOP 19u
/* when one that is under way will end is not known */
#define LOOK_NS (20 * NS_PER_MS)

uint64_t stop_share_take(struct stop_share *share, uint64_t now_ns)
{
    if (share->is_taken)
        return LOOK_NS;
    if (now_ns < share->free_at_ns)
        return share->free_at_ns - now_ns;
    share->is_taken = true;
    return 0;
}

void stop_share_give(struct stop_share *share, uint64_t now_ns, uint64_t stopped_ns)
{
    uint64_t run_ns;
    share->is_taken = false;
    if (__builtin_mul_overflow(stopped_ns, RUN_PER_STOP, &run_ns) ||
        __builtin_add_overflow(now_ns, run_ns, &share->free_at_ns))
        share->free_at_ns = UINT64_MAX;
}
