/*
 * pattern.h - a PCRE2 pattern: no JIT, bounded work, "$" only at the end, any bytes in the subject.
 *
 * A compiled pattern is never changed: threads may share it.
 */
#ifndef CONFIG_PATTERN_H
#define CONFIG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/** Bytes of a pattern's text. */
#define PATTERN_BYTES_MAX 4096

struct pattern;

enum pattern_verdict {
    PATTERN_DIFFERS,
    PATTERN_MATCHES,
    PATTERN_GAVE_UP, /* the match took more steps or memory than it may: as good as no match */
};

/**
 * Compile @text. STATUS_USAGE: @err has PCRE2's message, *@offset_ret the byte of @text where it saw the
 * error.
 */
enum status pattern_new(const char *text, struct pattern **ret, size_t *offset_ret,
                        struct error *err) must_check;

/** Free; NULL is allowed. */
void pattern_free(struct pattern *pattern);

/** What pattern_new() was given. */
const char *pattern_text(const struct pattern *pattern);

/** Bytes of the compiled form. */
size_t pattern_size(const struct pattern *pattern);

/** Does it match somewhere in the @length bytes at @subject? */
enum pattern_verdict pattern_match(const struct pattern *pattern, const char *subject, size_t length);

/** Whether it has a group of that name. */
bool pattern_has_group(const struct pattern *pattern, const char *name);

/**
 * Match again and append what the group @name took of @subject to @ret: nothing where the group took no part.
 * False: no match or no such group.
 */
bool pattern_capture(const struct pattern *pattern, const char *subject, size_t length, const char *name,
                     struct buffer *ret);

#endif
