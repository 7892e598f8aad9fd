/* pattern.c - see pattern.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "config/pattern.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 8192

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

enum status pattern_new(const char *text, struct pattern **ret, struct error *err)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR why[160];
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pattern");
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_DOLLAR_ENDONLY | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &offset, NULL);
    pattern->limits = pcre2_match_context_create(NULL);
    if (!pattern->code) {
        pattern_free(pattern);
        pcre2_get_error_message(code, why, sizeof why);
        return error_set(err, STATUS_USAGE, "bad pattern, at character %zu: %s", offset + 1,
                         (const char *)why);
    }
    if (!pattern->limits) {
        pattern_free(pattern);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pattern");
    }
    pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KIB);
    *ret = pattern;
    return STATUS_OK;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    free(pattern);
}

/* The match, or NULL; the caller frees it. */
static pcre2_match_data *match(const struct pattern *pattern, const char *subject)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    if (data && pcre2_match(pattern->code, (PCRE2_SPTR)subject, PCRE2_ZERO_TERMINATED, 0, 0, data,
                            pattern->limits) >= 0)
        return data;
    pcre2_match_data_free(data);
    return NULL;
}

bool pattern_matches(const struct pattern *pattern, const char *subject)
{
    pcre2_match_data *data = match(pattern, subject);
    pcre2_match_data_free(data);
    return data != NULL;
}

bool pattern_capture(const struct pattern *pattern, const char *subject, const char *name, char *value,
                     size_t size)
{
    PCRE2_UCHAR *text;
    PCRE2_SIZE length;
    pcre2_match_data *data = match(pattern, subject);
    bool found = data && pcre2_substring_get_byname(data, (PCRE2_SPTR)name, &text, &length) == 0;
    if (found) {
        snprintf(value, size, "%s", (const char *)text);
        pcre2_substring_free(text);
    }
    pcre2_match_data_free(data);
    return found;
}

bool pattern_has_group(const struct pattern *pattern, const char *name)
{
    return pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name) != PCRE2_ERROR_NOSUBSTRING;
}
