/* log_limit.c - see log_limit.h. */
#include "base/log_limit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

#define LINES_AT_ONCE 5
#define INTERVAL_NS (60 * NS_PER_SECOND)
#define ALL_LINES_AT_ONCE 500
#define ALL_INTERVAL_NS NS_PER_SECOND

static bool take(struct log_limit *limit, uint64_t interval_ns, unsigned lines_at_once)
{
    bool may_log = rate_limit_take(&limit->rate, interval_ns, lines_at_once, clock_monotonic_ns());
    limit->held_back += !may_log;
    return may_log;
}

static void tell(uint64_t held_back, struct log_held_back *ret)
{
    ret->key = held_back ? "held_back" : NULL;
    snprintf(ret->value, sizeof ret->value, "%" PRIu64, held_back);
}

bool log_limit_take(struct log_limit *limit, struct log_held_back *ret)
{
    if (!take(limit, INTERVAL_NS, LINES_AT_ONCE))
        return false;
    tell(limit->held_back, ret);
    limit->held_back = 0;
    return true;
}

bool log_limit_take_within(struct log_limit *limit, struct log_limit *all, struct log_held_back *ret)
{
    if (!take(limit, INTERVAL_NS, LINES_AT_ONCE) || !take(all, ALL_INTERVAL_NS, ALL_LINES_AT_ONCE))
        return false;
    tell(limit->held_back + all->held_back, ret);
    limit->held_back = all->held_back = 0;
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
