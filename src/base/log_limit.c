/* log_limit.c - see log_limit.h. */
#include "base/log_limit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define LINES_AT_ONCE 5
#define INTERVAL_NS (60 * NS_PER_SECOND)

bool log_limit_take(struct log_limit *limit, struct log_held_back *ret)
{
    if (!rate_limit_take(&limit->rate, INTERVAL_NS, LINES_AT_ONCE, clock_monotonic_ns())) {
        limit->held_back++;
        return false;
    }
    ret->key = limit->held_back ? "held_back" : NULL;
    snprintf(ret->value, sizeof ret->value, "%" PRIu64, limit->held_back);
    limit->held_back = 0;
    return true;
}

void log_error_limited(struct log_limit *limit, enum log_level level, const char *message,
                       const struct error *err)
{
    struct log_held_back held_back;
    if (log_limit_take(limit, &held_back))
        log_event(level, message, "status", status_label(err->status), "err", err->message, held_back.key,
                  held_back.value, NULL);
}
