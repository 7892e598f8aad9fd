/* oneshot_options.c - see oneshot_options.h. */
#include "cli/oneshot_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const OUTPUT_NAMES[OUTPUT_COUNT] = {
#define X(name, label) [OUTPUT_##name] = label,
    OUTPUT_TABLE(X)
#undef X
};

typedef enum status parse_fn(const char *flag, const char *value, struct oneshot_options *options,
                             struct error *err);

static enum status parse_u64(const char *flag, const char *value, uint64_t least, uint64_t most,
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
    if (consistency < 0 || consistency == CONSISTENCY_SLICED)
        return error_set(err, STATUS_USAGE, "%s: \"%s\" is none of live, snapshot", flag, value);
    o->consistency = (enum consistency)consistency;
    return STATUS_OK;
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
    enum status status = parse_u64(flag, value, 0, 1000000, &arena, err);
    o->has_arena = true;
    o->arena = (uint32_t)arena;
    return status;
}

static enum status set_min(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    return parse_u64(flag, value, 0, INT64_MAX, &o->min_bytes, err);
}

static enum status set_max(const char *flag, const char *value, struct oneshot_options *o, struct error *err)
{
    return parse_u64(flag, value, 0, INT64_MAX, &o->max_bytes, err);
}

static enum status set_limit(const char *flag, const char *value, struct oneshot_options *o,
                             struct error *err)
{
    return parse_u64(flag, value, 1, INT64_MAX, &o->limit, err);
}

static enum status set_swapped(const char *flag, const char *value, struct oneshot_options *o,
                               struct error *err)
{
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return error_set(err, STATUS_USAGE, "%s: \"%s\" is neither true nor false", flag, value);
    o->read_swapped = value[0] == 't';
    return STATUS_OK;
}

/* One row a flag: name, short name, whether it may stand without a value (then "true"), setter, help. */
static const struct flag {
    const char *name;
    const char *short_name;
    bool is_switch;
    parse_fn *set;
} FLAGS[] = {
    {"--name", "-n", false, set_name},
    {"--pattern", "-P", false, set_pattern},
    {"--procfs", NULL, false, set_procfs},
    {"--format", NULL, false, set_format},
    {"--consistency", NULL, false, set_consistency},
    {"--snapshot-max-pause", NULL, false, set_pause},
    {"--timeout", NULL, false, set_timeout},
    {"--read-swapped", NULL, true, set_swapped},
    {"--state", NULL, false, set_state},
    {"--arena", NULL, false, set_arena},
    {"--min-size", NULL, false, set_min},
    {"--max-size", NULL, false, set_max},
    {"--limit", NULL, false, set_limit},
};

const char *oneshot_options_help(void)
{
    return "  PID | -n, --name COMM | -P, --pattern REGEX   the process: by pid, exact name, or command "
           "line\n"
           "  --format FORMAT             text (default on a terminal), json, and what the command has "
           "besides\n"
           "  --consistency MODE          live (default: never stops it) or snapshot (stops it, exact)\n"
           "  --snapshot-max-pause TIME   longest stop of a snapshot (default 1s)\n"
           "  --timeout TIME              give up after TIME (default 10s and 1s a GiB)\n"
           "  --read-swapped              bring swapped pages of the target back into memory to read them\n"
           "  --state STATE               chunks: in_use, tcache, fastbin, unsorted, small, large, top,\n"
           "                              mmapped, or free; may be given again\n"
           "  --arena N, --min-size BYTES, --max-size BYTES, --limit N\n"
           "                              chunks: of one arena, in a range of sizes, at most so many\n"
           "  --procfs DIR                default /proc\n";
}

static const struct flag *find_flag(const char *argument, const char **value)
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

static enum status check_target(const struct oneshot_options *options, struct error *err)
{
    int given = (options->pid != 0) + (options->name != NULL) + (options->pattern != NULL);
    if (given == 1)
        return STATUS_OK;
    return error_set(err, STATUS_USAGE,
                     given == 0 ? "name a process: PID, -n NAME or -P PATTERN"
                                : "name one process: PID, -n NAME or -P PATTERN, not several");
}

static enum status parse_pid(const char *argument, struct oneshot_options *options, struct error *err)
{
    uint64_t pid = 0;
    if (options->pid != 0)
        return error_set(err, STATUS_USAGE, "\"%s\": one PID only", argument);
    enum status status = parse_u64("PID", argument, 1, INT32_MAX, &pid, err);
    options->pid = (int32_t)pid;
    return status;
}

enum status oneshot_options_parse(int argc, char **argv, unsigned formats, enum output_format piped_format,
                                  struct oneshot_options *ret, struct error *err)
{
    struct oneshot_options options = {.procfs = "/proc",
                                      .format = isatty(STDOUT_FILENO) ? OUTPUT_TEXT : piped_format,
                                      .snapshot_max_pause_ns = NS_PER_SECOND,
                                      .max_bytes = UINT64_MAX};
    for (int i = 0; i < argc; i++) {
        const char *value;
        enum status status;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options.wants_help = true;
            *ret = options;
            return STATUS_OK;
        }
        const struct flag *flag = find_flag(argv[i], &value);
        if (!flag && argv[i][0] == '-')
            return error_set(err, STATUS_USAGE, "%s: no such flag; see --help", argv[i]);
        if (!flag) {
            status = parse_pid(argv[i], &options, err);
        } else {
            if (!value && flag->is_switch)
                value = "true";
            else if (!value && ++i < argc)
                value = argv[i];
            if (!value)
                return error_set(err, STATUS_USAGE, "%s: a value is missing", flag->name);
            status = flag->set(flag->name, value, &options, err);
        }
        if (status != STATUS_OK)
            return status;
    }
    if (!(formats & 1u << options.format))
        return error_set(err, STATUS_USAGE, "--format: this command does not print %s",
                         OUTPUT_NAMES[options.format]);
    enum status status = check_target(&options, err);
    if (status == STATUS_OK)
        *ret = options;
    return status;
}
