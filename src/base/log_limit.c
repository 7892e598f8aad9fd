/* log_limit.c - see log_limit.h. */
#include "base/log_limit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define LINES_AT_ONCE 5
#define INTERVAL_NS (60 * NS_PER_SECOND)

void log_error_limited(struct log_limit *limit, enum log_level level, const char *message,
                       const struct error *err)
{
    if (!rate_limit_take(&limit->rate, INTERVAL_NS, LINES_AT_ONCE, clock_monotonic_ns())) {
        limit->held_back++;
        return;
    }
    if (limit->held_back == 0) {
        log_error(level, message, err);
        return;
    }
    char held_back[24];
    snprintf(held_back, sizeof held_back, "%" PRIu64, limit->held_back);
    log_event(level, message, "status", status_label(err->status), "err", err->message, "held_back",
              held_back, NULL);
    limit->held_back = 0;
}
