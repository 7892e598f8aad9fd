/* values.h - durations, sizes, percentages and numbers as a configuration writes them. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Go's and Prometheus' durations, to nanoseconds: numbers, each with a unit (ns, us, µs, ms, s, m, h, d, w),
 * as in 5ms, 30s, 1.5h and 1m30s; 0 may stand alone. False: it is none, or above UINT64_MAX.
 */
bool value_duration(const char *text, uint64_t *ns_ret);

/** A whole number of bytes, or of KiB, MiB, GiB or TiB (64MiB, 64 MiB). False: it is none, or above
 * UINT64_MAX. */
bool value_size(const char *text, uint64_t *bytes_ret);

/** A percentage as a share: 5% is 0.05. False: it is none, or more than 9 digits before the point. */
bool value_percent(const char *text, double *ret);

/** true or false. */
bool value_bool(const char *text, bool *ret);

/** Digits alone. False: it is none, or above UINT64_MAX. */
bool value_count(const char *text, uint64_t *ret);

#endif
