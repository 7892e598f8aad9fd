/* rate_limit.h - a token bucket: so many requests at once, then one an interval. */
#ifndef BASE_RATE_LIMIT_H
#define BASE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/** Zero-initialised it is full. @full_ns: when it will be full again, by the clock of the caller. */
struct rate_limit {
    uint64_t full_ns;
};

/** Take one at @now_ns from a bucket of @burst that gains one each @interval_ns; false: it is empty. */
bool rate_limit_take(struct rate_limit *limit, uint64_t interval_ns, uint64_t burst, uint64_t now_ns);

#endif
