/* log_limit.h - lines that another role, or a client, can cause as often as it likes. */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdint.h>

#include "base/log.h"
#include "base/rate_limit.h"

/** Of one place that logs; one thread's at a time. Zero-initialise. */
struct log_limit {
    struct rate_limit rate;
    uint64_t held_back; /* lines since the last that was written */
};

/** log_error(), but five lines at once and then one a minute; each says how many were "held_back" before it.
 */
void log_error_limited(struct log_limit *limit, enum log_level level, const char *message,
                       const struct error *err);

#endif
