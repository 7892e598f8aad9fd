/* rate_limit.c - see rate_limit.h: what lacks to a full bucket, kept as the time it takes to fill it. */
#include "base/rate_limit.h"

#include "base/checked.h"

bool rate_limit_take(struct rate_limit *limit, uint64_t interval_ns, uint64_t burst, uint64_t now_ns)
{
    uint64_t from_ns = max_u64(limit->full_ns, now_ns), whole_ns, full_ns;
    if (!checked_mul(interval_ns, burst, &whole_ns))
        whole_ns = UINT64_MAX;
    if (!checked_add(from_ns, interval_ns, &full_ns) || full_ns - now_ns > whole_ns)
        return false;
    limit->full_ns = full_ns;
    return true;
}
