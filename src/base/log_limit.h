/* log_limit.h - lines that another role, or a client, can cause as often as it likes. */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/rate_limit.h"

/** Of one place that logs; one thread's at a time. Zero-initialise. */
struct log_limit {
    struct rate_limit rate;
    uint64_t held_back; /* lines since the last that was written */
};

/** A log_limit's count of held-back lines, as the field "held_back" of the line that is written next. */
struct log_held_back {
    const char *key; /* NULL where there were none: it ends the fields of log_event() */
    char value[24];
};

/** Whether a line may be written; then *@ret is what was held back before it. */
bool log_limit_take(struct log_limit *limit, struct log_held_back *ret);

/**
 * The same where many have a @limit each: @all of them together have 500 lines at once and then one a second.
 * Both are under one lock. What either held back is told.
 */
bool log_limit_take_within(struct log_limit *limit, struct log_limit *all, struct log_held_back *ret);

/** log_error(), but five lines at once and then one a minute; each says how many were "held_back" before it.
 */
void log_error_limited(struct log_limit *limit, enum log_level level, const char *message,
                       const struct error *err);

#endif
