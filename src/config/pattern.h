/* pattern.h - a PCRE2 pattern: no JIT, bounded matching, "$" only at the end, any bytes in the subject. */
#ifndef CONFIG_PATTERN_H
#define CONFIG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pattern;

/** Compile @text. STATUS_USAGE: the message says what is wrong and at which character. */
enum status pattern_new(const char *text, struct pattern **ret, struct error *err) must_check;
void pattern_free(struct pattern *pattern);

/** Whether it matches somewhere in @subject. A match that takes too much work is none. */
bool pattern_matches(const struct pattern *pattern, const char *subject);

/**
 * Match @subject and put the named group @name into @value. False: no match, no such group, or the group
 * took no part in the match.
 */
bool pattern_capture(const struct pattern *pattern, const char *subject, const char *name, char *value,
                     size_t size);

/** Whether the pattern has a group of that name. */
bool pattern_has_group(const struct pattern *pattern, const char *name);

#endif
