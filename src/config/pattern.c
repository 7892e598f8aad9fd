/* pattern.c - see pattern.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "config/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Some 10 ms of work at most; patterns that people write need a hundredth of it on a long command line. */
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KIB 8192

/* RE2's meaning where the two differ: "$" is the end alone, "." all but \n, no byte of half a character */
#define OPTIONS (PCRE2_DOLLAR_ENDONLY | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C)

struct pattern {
    char *text;
    pcre2_code *code;
    pcre2_match_context *limits;
};

static void free_compile_context(pcre2_compile_context **context)
{
    pcre2_compile_context_free(*context);
}

static void free_match_data(pcre2_match_data **data)
{
    pcre2_match_data_free(*data);
}

static enum status compile(struct pattern *pattern, size_t *offset_ret, struct error *err)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    scoped(free_compile_context) pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pattern");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(context, PATTERN_BYTES_MAX);
    pattern->code =
        pcre2_compile((PCRE2_SPTR)pattern->text, PCRE2_ZERO_TERMINATED, OPTIONS, &code, &offset, context);
    if (pattern->code)
        return STATUS_OK;
    PCRE2_UCHAR why[160] = "";
    pcre2_get_error_message(code, why, sizeof why);
    *offset_ret = offset;
    return error_set(err, STATUS_USAGE, "%s", (const char *)why);
}

enum status pattern_new(const char *text, struct pattern **ret, size_t *offset_ret, struct error *err)
{
    struct pattern *pattern = calloc(1, sizeof *pattern);
    enum status status = STATUS_NO_MEMORY;
    if (pattern) {
        pattern->text = strdup(text);
        pattern->limits = pcre2_match_context_create(NULL);
    }
    if (!pattern || !pattern->text || !pattern->limits)
        error_set(err, STATUS_NO_MEMORY, "no memory for a pattern");
    else
        status = compile(pattern, offset_ret, err);
    if (status != STATUS_OK) {
        pattern_free(pattern);
        return status;
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
    free(pattern->text);
    free(pattern);
}

const char *pattern_text(const struct pattern *pattern)
{
    return pattern->text;
}

size_t pattern_size(const struct pattern *pattern)
{
    size_t size = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_SIZE, &size);
    return size;
}

static enum pattern_verdict run(const struct pattern *pattern, const char *subject, size_t length,
                                pcre2_match_data *data)
{
    if (!data)
        return PATTERN_GAVE_UP;
    int code = pcre2_match(pattern->code, (PCRE2_SPTR)subject, length, 0, 0, data, pattern->limits);
    if (code >= 0)
        return PATTERN_MATCHES;
    return code == PCRE2_ERROR_NOMATCH ? PATTERN_DIFFERS : PATTERN_GAVE_UP;
}

enum pattern_verdict pattern_match(const struct pattern *pattern, const char *subject, size_t length)
{
    scoped(free_match_data) pcre2_match_data *data =
        pcre2_match_data_create_from_pattern(pattern->code, NULL);
    return run(pattern, subject, length, data);
}

bool pattern_has_group(const struct pattern *pattern, const char *name)
{
    return pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name) > 0;
}

bool pattern_capture(const struct pattern *pattern, const char *subject, size_t length, const char *name,
                     struct buffer *ret)
{
    int number = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name);
    scoped(free_match_data) pcre2_match_data *data =
        pcre2_match_data_create_from_pattern(pattern->code, NULL);
    if (number <= 0 || run(pattern, subject, length, data) != PATTERN_MATCHES)
        return false;
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(data) + 2 * (size_t)number;
    /* \K in a lookahead can put the end before the start */
    if (bounds[0] != PCRE2_UNSET && bounds[1] > bounds[0])
        buffer_append(ret, subject + bounds[0], bounds[1] - bounds[0]);
    return true;
}
