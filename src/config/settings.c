/* settings.c - see settings.h. */
#include "config/settings.h"

#include <string.h>

#include "config/values.h"

#define SCAN(field) offsetof(struct scan_config, field)
#define ENTRY(field) offsetof(struct entry, field)
#define CONFIG(field) offsetof(struct config, field)

/* Values as those of enum consistency in snapshot/snapshot.h. */
static const struct setting_word CONSISTENCIES[] = {
    {"live", 0, NULL}, {"sliced", 1, NULL}, {"snapshot", 2, NULL}, {NULL, 0, NULL}};
static const struct setting_word MAX_CONSISTENCIES[] = {
    {"entry", -1, NULL}, {"live", 0, NULL}, {"sliced", 1, NULL}, {"snapshot", 2, NULL}, {NULL, 0, NULL}};
static const struct setting_word AUTO[] = {{"auto", 0, NULL}, {NULL, 0, NULL}};
static const struct setting_word ACCESSES[] = {{"authenticated", API_AUTHENTICATED, NULL},
                                               {"local", API_LOCAL, NULL},
                                               {"open", API_OPEN, NULL},
                                               {NULL, 0, NULL}};
static const struct setting_word IDENTITIES[] = {
    {"pid", IDENTIFY_PID, NULL}, {"none", IDENTIFY_NONE, NULL}, {NULL, 0, NULL}};

/* clang-format off */
const struct setting SETTINGS[] = {
    {"scan", "interval", SETTING_DURATION, SCAN(interval_ns), "30s", "100ms", "24h", NULL,
     "how often a process is scanned"},
    {"scan", "timeout", SETTING_DURATION, SCAN(timeout_ns), "auto", "10ms", "1h", AUTO,
     "how long a scan may take; auto: 10 s and 1 s a GiB"},
    {"scan", "consistency", SETTING_ENUM, SCAN(consistency), "live", NULL, NULL, CONSISTENCIES,
     "live never stops the process, sliced for moments, snapshot for the whole walk"},
    {"scan", "max_pause", SETTING_DURATION, SCAN(max_pause_ns), "5ms", "1ms", "10s", NULL,
     "sliced: the longest stop"},
    {"scan", "snapshot_max_pause", SETTING_DURATION, SCAN(snapshot_max_pause_ns), "1s", "1ms", "1m", NULL,
     "snapshot: a longer stop ends the scan as timeout"},
    {"scan", "read_swapped", SETTING_BOOL, SCAN(read_swapped), "false", NULL, NULL, NULL,
     "bring swapped pages of a process back into memory to read them"},
    {"limits", "concurrency", SETTING_COUNT, CONFIG(limits.concurrency), "1", "1", "32", NULL,
     "processes scanned at the same time"},
    {"limits", "scan_threads", SETTING_COUNT, CONFIG(limits.scan_threads), "1", "1", "64", NULL,
     "threads for one process with many heaps"},
    {"limits", "max_cpu", SETTING_PERCENT, CONFIG(limits.max_cpu), "5%", "0.01%", "6400%", NULL,
     "of one core, over all processes"},
    {"limits", "max_processes", SETTING_COUNT, CONFIG(limits.max_processes), "1000", "1", "60000", NULL,
     "processes scanned at most"},
    {"limits", "max_series", SETTING_COUNT, CONFIG(limits.max_series), "50000", "1000", "10000000", NULL,
     "series of one scrape at most"},
    {"limits", "group_ttl", SETTING_DURATION, CONFIG(limits.group_ttl_ns), "1h", "0s", "720h", NULL,
     "how long a templated group's counters live after its last process"},
    {"discovery", "interval", SETTING_DURATION, CONFIG(discovery.interval_ns), "5s", "100ms", "1h", NULL,
     "how often processes are looked for"},
    {"metrics", "per_arena", SETTING_BOOL, CONFIG(metrics.per_arena), "false", NULL, NULL, NULL,
     "the malloc_arena_* families"},
    {"metrics", "max_arenas", SETTING_COUNT, CONFIG(metrics.max_arenas), "64", "1", "65536", NULL,
     "arenas with series of their own; the rest are summed as other"},
    {"metrics", "size_histogram", SETTING_BOOL, CONFIG(metrics.size_histogram), "true", NULL, NULL, NULL,
     "the histogram of chunk sizes"},
    {"metrics", "residency", SETTING_BOOL, CONFIG(metrics.residency), "true", NULL, NULL, NULL,
     "resident, swapped and trimmable bytes"},
    {"api", "access", SETTING_ENUM, CONFIG(api.access), "authenticated", NULL, NULL, ACCESSES,
     "who may ask for addresses"},
    {"api", "memory", SETTING_BOOL, CONFIG(api.memory), "false", NULL, NULL, NULL,
     "memory contents over HTTP"},
    {"api", "max_consistency", SETTING_ENUM, CONFIG(api.max_consistency), "entry", NULL, NULL,
     MAX_CONSISTENCIES, "the strongest consistency that a request may ask for"},
    {"api", "max_streams", SETTING_COUNT, CONFIG(api.max_streams), "2", "1", "64", NULL, "dumps at once"},
    {"api", "stream_timeout", SETTING_DURATION, CONFIG(api.stream_timeout_ns), "5m", "1s", "24h", NULL,
     "how long a dump may take"},
    {"api", "snapshot_buffer", SETTING_SIZE, CONFIG(api.snapshot_buffer_bytes), "64MiB", "64KiB", "64GiB", NULL,
     "memory for the chunks of a snapshot dump"},
    {"entry", "min_uptime", SETTING_DURATION, ENTRY(min_uptime_ns), "0s", "0s", "8760h", NULL,
     "how long a process runs before its first scan"},
    {"entry", "children", SETTING_BOOL, ENTRY(children), "false", NULL, NULL, NULL,
     "descendants that no entry takes join the group"},
    {"entry", "identify_by", SETTING_ENUM, ENTRY(identify_by), "pid", NULL, NULL, IDENTITIES,
     "pid: series for each process; none: one set for the group"},
};
/* clang-format on */
const size_t SETTINGS_COUNT = sizeof SETTINGS / sizeof *SETTINGS;

static const char *const TYPE_WORDS[] = {
    [SETTING_DURATION] = "a duration such as 30s or 1h30m",
    [SETTING_BOOL] = "true or false",
    [SETTING_PERCENT] = "a percentage such as 5%",
    [SETTING_SIZE] = "a size such as 64MiB, or a number of bytes",
    [SETTING_COUNT] = "a whole number",
};

const struct setting *setting_find(const char *section, const char *key)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].section, section) == 0 && strcmp(SETTINGS[i].key, key) == 0)
            return &SETTINGS[i];
    return NULL;
}

/* "live or snapshot", without those that are refused */
static void append_words(const struct setting_word *words, struct buffer *ret)
{
    size_t allowed = 0, shown = 0;
    for (const struct setting_word *word = words; word->word; word++)
        allowed += word->refusal == NULL;
    for (const struct setting_word *word = words; word->word; word++)
        if (!word->refusal) {
            buffer_text(ret, shown == 0 ? "" : shown + 1 == allowed ? " or " : ", ");
            buffer_text(ret, word->word);
            shown++;
        }
}

void setting_allowed(const struct setting *setting, struct buffer *ret)
{
    if (setting->words)
        append_words(setting->words, ret);
    if (setting->type == SETTING_ENUM)
        return;
    buffer_printf(ret, "%s%s", setting->words ? " or " : "", TYPE_WORDS[setting->type]);
    if (setting->min)
        buffer_printf(ret, ", from %s to %s", setting->min, setting->max);
}

void setting_keys(const char *section, struct buffer *ret)
{
    bool is_first = true;
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].section, section) == 0) {
            buffer_printf(ret, "%s%s", is_first ? "" : ", ", SETTINGS[i].key);
            is_first = false;
        }
}

union value {
    uint64_t number;
    double share;
    bool is_true;
};

/* No words: durations, sizes, counts, shares and booleans alone. */
static bool read_value(enum setting_type type, const char *text, union value *ret)
{
    switch (type) {
    case SETTING_DURATION:
        return value_duration(text, &ret->number);
    case SETTING_SIZE:
        return value_size(text, &ret->number);
    case SETTING_COUNT:
        return value_count(text, &ret->number);
    case SETTING_PERCENT:
        return value_percent(text, &ret->share);
    case SETTING_BOOL:
        return value_bool(text, &ret->is_true);
    case SETTING_ENUM:
        break;
    }
    return false;
}

static bool is_in_range(const struct setting *setting, const union value *value)
{
    union value min, max;
    if (!setting->min)
        return true;
    if (!read_value(setting->type, setting->min, &min) || !read_value(setting->type, setting->max, &max))
        return false;
    if (setting->type == SETTING_PERCENT)
        return value->share >= min.share && value->share <= max.share;
    return value->number >= min.number && value->number <= max.number;
}

static void store(const struct setting *setting, void *base, const union value *value)
{
    void *field = (char *)base + setting->offset;
    switch (setting->type) {
    case SETTING_DURATION:
    case SETTING_SIZE:
        *(uint64_t *)field = value->number;
        break;
    case SETTING_COUNT:
        *(uint32_t *)field = (uint32_t)value->number;
        break;
    case SETTING_PERCENT:
        *(double *)field = value->share;
        break;
    case SETTING_BOOL:
        *(bool *)field = value->is_true;
        break;
    case SETTING_ENUM:
        *(int *)field = (int)(int64_t)value->number;
        break;
    }
}

/* The word @text of the setting, or NULL. */
static const struct setting_word *find_word(const struct setting *setting, const char *text)
{
    for (const struct setting_word *word = setting->words; word && word->word; word++)
        if (strcmp(word->word, text) == 0)
            return word;
    return NULL;
}

bool setting_set(const struct setting *setting, void *base, const char *text, struct buffer *why)
{
    union value value = {0};
    const struct setting_word *word = find_word(setting, text);
    if (word && word->refusal) {
        if (why)
            buffer_text(why, word->refusal);
        return false;
    }
    if (word)
        value.number = (uint64_t)(int64_t)word->value;
    else if (!read_value(setting->type, text, &value) || !is_in_range(setting, &value)) {
        if (why) {
            buffer_text(why, "must be ");
            setting_allowed(setting, why);
        }
        return false;
    }
    store(setting, base, &value);
    return true;
}

void setting_defaults(const char *section, void *base)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].section, section) == 0)
            (void)setting_set(&SETTINGS[i], base, SETTINGS[i].default_text, NULL);
}
