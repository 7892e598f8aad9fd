/* oneshot_flags.c - see oneshot_flags.h. */
#include "cli/oneshot_flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char *const OUTPUT_NAMES[OUTPUT_COUNT] = {
#define X(name, label) [OUTPUT_##name] = label,
    OUTPUT_TABLE(X)
#undef X
};

enum status oneshot_parse_u64(const char *flag, const char *value, uint64_t least, uint64_t most,
                              uint64_t *ret, struct error *err)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number < least || number > most)
        return error_set(err, STATUS_USAGE, "%s: \"%s\" is not a whole number from %llu to %llu", flag, value,
                         (unsigned long long)least, (unsigned long long)most);
    *ret = number;
    return STATUS_OK;
}

/* A duration as the configuration spells it: a whole number and ms, s or m. */
static enum status parse_duration(const char *flag, const char *value, uint64_t *ret, struct error *err)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } UNITS[] = {{"ms", NS_PER_MS}, {"s", NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND}};
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (*value >= '0' && *value <= '9' && errno == 0 && strcmp(end, UNITS[i].unit) == 0 && number > 0 &&
            number <= 86400000) {
            *ret = number * UNITS[i].ns;
            return STATUS_OK;
        }
    return error_set(err, STATUS_USAGE, "%s: \"%s\" is no duration such as 500ms, 10s or 2m", flag, value);
}

static enum status parse_switch(const char *flag, const char *value, bool *ret, struct error *err)
{
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return error_set(err, STATUS_USAGE, "%s: \"%s\" is neither true nor false", flag, value);
    *ret = value[0] == 't';
    return STATUS_OK;
}

static enum status set_name(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    (void)flag;
    (void)err;
    o->name = value;
    return STATUS_OK;
}

static enum status set_pattern(const char *flag, const char *value, struct oneshot_options *o,
                               struct error *err)
{
    (void)flag;
    (void)err;
    o->pattern = value;
    return STATUS_OK;
}

static enum status set_procfs(const char *flag, const char *value, struct oneshot_options *o,
                              struct error *err)
{
    if (value[0] != '/')
        return error_set(err, STATUS_USAGE, "%s: \"%s\" is no absolute path", flag, value);
    o->procfs = value;
    return STATUS_OK;
}

static enum status set_format(const char *flag, const char *value, struct oneshot_options *o,
                              struct error *err)
{
    for (int format = 0; format < OUTPUT_COUNT; format++)
        if (strcmp(OUTPUT_NAMES[format], value) == 0) {
            o->format = (enum output_format)format;
            return STATUS_OK;
        }
    return error_set(err, STATUS_USAGE, "%s: \"%s\" is none of text, json, ndjson, csv, prometheus", flag,
                     value);
}

static enum status set_consistency(const char *flag, const char *value, struct oneshot_options *o,
                                   struct error *err)
{
    int consistency = consistency_parse(value);
    if (consistency < 0)
        return error_set(err, STATUS_USAGE, "%s: \"%s\" is none of live, sliced, snapshot", flag, value);
    o->consistency = (enum consistency)consistency;
    return STATUS_OK;
}

static enum status set_max_pause(const char *flag, const char *value, struct oneshot_options *o,
                                 struct error *err)
{
    return parse_duration(flag, value, &o->max_pause_ns, err);
}

static enum status set_pause(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    return parse_duration(flag, value, &o->snapshot_max_pause_ns, err);
}

static enum status set_timeout(const char *flag, const char *value, struct oneshot_options *o,
                               struct error *err)
{
    return parse_duration(flag, value, &o->timeout_ns, err);
}

static enum status set_state(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    if (strcmp(value, "free") == 0) {
        for (int state = 0; state < CHUNK_STATE_COUNT; state++)
            if (chunk_state_is_free((enum chunk_state)state))
                o->states |= 1u << state;
        return STATUS_OK;
    }
    int state = chunk_state_parse(value);
    if (state < 0)
        return error_set(
            err, STATUS_USAGE,
            "%s: \"%s\" is none of in_use, tcache, fastbin, unsorted, small, large, top, mmapped, free", flag,
            value);
    o->states |= 1u << state;
    return STATUS_OK;
}

static enum status set_arena(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    uint64_t arena = 0;
    enum status status = oneshot_parse_u64(flag, value, 0, 1000000, &arena, err);
    o->has_arena = true;
    o->arena = (uint32_t)arena;
    return status;
}

static enum status set_min(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    return oneshot_parse_u64(flag, value, 0, INT64_MAX, &o->min_bytes, err);
}

static enum status set_max(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    return oneshot_parse_u64(flag, value, 0, INT64_MAX, &o->max_bytes, err);
}

static enum status set_top(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    return oneshot_parse_u64(flag, value, 1, 100000, &o->top, err);
}

static enum status set_limit(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    return oneshot_parse_u64(flag, value, 1, INT64_MAX, &o->limit, err);
}

static enum status set_swapped(const char *flag, const char *value, struct oneshot_options *o,
                               struct error *err)
{
    return parse_switch(flag, value, &o->read_swapped, err);
}

static enum status set_scan_threads(const char *flag, const char *value, struct oneshot_options *o,
                                    struct error *err)
{
    return oneshot_parse_u64(flag, value, 1, 64, &o->scan_threads, err);
}

static enum status set_content(const char *flag, const char *value, struct oneshot_options *o,
                               struct error *err)
{
    uint64_t bytes = 0;
    enum status status = oneshot_parse_u64(flag, value, 1, 4096, &bytes, err);
    o->content_bytes = (uint32_t)bytes;
    return status;
}

static enum status set_core(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    (void)flag;
    (void)err;
    o->core = value;
    return STATUS_OK;
}

static enum status set_exe(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    (void)flag;
    (void)err;
    o->exe = value;
    return STATUS_OK;
}

static enum status set_exact(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    return parse_switch(flag, value, &o->exact, err);
}

static enum status set_min_length(const char *flag, const char *value, struct oneshot_options *o,
                                  struct error *err)
{
    return oneshot_parse_u64(flag, value, 1, 4096, &o->min_length, err);
}

static enum status set_needle(enum oneshot_needle kind, const char *flag, const char *value,
                              struct oneshot_options *o, struct error *err)
{
    if (o->needle)
        return error_set(err, STATUS_USAGE, "%s: one of --bytes, --text and --pointer, once", flag);
    o->needle_kind = kind;
    o->needle = value;
    return STATUS_OK;
}

static enum status set_bytes(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    return set_needle(ONESHOT_BYTES, flag, value, o, err);
}

static enum status set_text(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    return set_needle(ONESHOT_TEXT, flag, value, o, err);
}

static enum status set_pointer(const char *flag, const char *value, struct oneshot_options *o,
                               struct error *err)
{
    return set_needle(ONESHOT_POINTER, flag, value, o, err);
}

static const struct oneshot_flag FLAGS[] = {
    {"--name", "-n", false, set_name},
    {"--pattern", "-P", false, set_pattern},
    {"--procfs", NULL, false, set_procfs},
    {"--format", NULL, false, set_format},
    {"--consistency", NULL, false, set_consistency},
    {"--max-pause", NULL, false, set_max_pause},
    {"--snapshot-max-pause", NULL, false, set_pause},
    {"--timeout", NULL, false, set_timeout},
    {"--read-swapped", NULL, true, set_swapped},
    {"--scan-threads", NULL, false, set_scan_threads},
    {"--state", NULL, false, set_state},
    {"--arena", NULL, false, set_arena},
    {"--min-size", NULL, false, set_min},
    {"--max-size", NULL, false, set_max},
    {"--limit", NULL, false, set_limit},
    {"--content", NULL, false, set_content},
    {"--top", NULL, false, set_top},
    {"--core", NULL, false, set_core},
    {"--exe", NULL, false, set_exe},
    {"--exact", NULL, true, set_exact},
    {"--min", NULL, false, set_min_length},
    {"--bytes", NULL, false, set_bytes},
    {"--text", NULL, false, set_text},
    {"--pointer", NULL, false, set_pointer},
};

const struct oneshot_flag *oneshot_flag_find(const char *argument, const char **value)
{
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
        size_t length = strlen(FLAGS[i].name);
        *value = NULL;
        if (strncmp(argument, FLAGS[i].name, length) == 0 && argument[length] == '=') {
            *value = argument + length + 1;
            return &FLAGS[i];
        }
        if (strcmp(argument, FLAGS[i].name) == 0 ||
            (FLAGS[i].short_name && strcmp(argument, FLAGS[i].short_name) == 0))
            return &FLAGS[i];
    }
    return NULL;
}

const char *output_format_name(enum output_format format)
{
    return OUTPUT_NAMES[format];
}
