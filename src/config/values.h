/* values.h - durations, sizes, shares and numbers as a configuration writes them. */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/** "1h30m", "5s", "250ms", "10us", "7ns", "2d": numbers with units, to nanoseconds. False: it is none. */
bool value_duration(const char *text, uint64_t *ns_ret);
/** "4096", "64KiB", "64MiB", "1GiB", and "kB", "MB", "GB" by thousands, to bytes. */
bool value_size(const char *text, uint64_t *bytes_ret);
/** "5%" or "0.05", above 0, to a share. */
bool value_share(const char *text, double *ret);
/** true or false. */
bool value_bool(const char *text, bool *ret);
/** A whole number. */
bool value_count(const char *text, uint64_t *ret);

#endif
