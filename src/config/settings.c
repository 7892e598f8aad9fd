/* settings.c - see settings.h. */
#include "config/settings.h"

#include <stdio.h>
#include <string.h>

#include "config/values.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)
#define SCAN(field) offsetof(struct scan_config, field)
#define CONFIG(field) offsetof(struct config, field)

const struct setting SETTINGS[] = {
    {"scan", "interval", SETTING_DURATION, SCAN(interval_ns), "30s", 100 * MS, 24 * HOUR,
     "how often a process is scanned"},
    {"scan", "timeout", SETTING_TIMEOUT, SCAN(timeout_ns), "auto", 10 * MS, HOUR,
     "how long a scan may take; auto: 10 s and 1 s a GiB"},
    {"scan", "consistency", SETTING_CONSISTENCY, SCAN(consistency), "live", 0, 0,
     "live never stops the process; snapshot stops it for the walk"},
    {"scan", "max_pause", SETTING_DURATION, SCAN(max_pause_ns), "5ms", MS, 10 * SECOND,
     "sliced: the longest stop"},
    {"scan", "snapshot_max_pause", SETTING_DURATION, SCAN(snapshot_max_pause_ns), "1s", MS, 60 * SECOND,
     "snapshot: beyond it the scan ends as timeout"},
    {"scan", "read_swapped", SETTING_BOOL, SCAN(read_swapped), "false", 0, 0,
     "bring swapped pages back into memory to read them"},
    {"limits", "concurrency", SETTING_COUNT, CONFIG(limits.concurrency), "1", 1, 32,
     "processes scanned at the same time"},
    {"limits", "scan_threads", SETTING_COUNT, CONFIG(limits.scan_threads), "1", 1, 64,
     "threads for one process with many heaps"},
    {"limits", "max_cpu", SETTING_SHARE, CONFIG(limits.max_cpu), "5%", 0, 64,
     "of one core, over all processes"},
    {"limits", "max_processes", SETTING_COUNT, CONFIG(limits.max_processes), "1000", 1, 60000,
     "processes that are scanned"},
    {"limits", "max_series", SETTING_COUNT, CONFIG(limits.max_series), "50000", 1000, 10000000,
     "series of one scrape"},
    {"limits", "group_ttl", SETTING_DURATION, CONFIG(limits.group_ttl_ns), "1h", 0, 720 * HOUR,
     "how long a templated group's counters live after its last process"},
    {"discovery", "interval", SETTING_DURATION, CONFIG(discovery.interval_ns), "5s", 100 * MS, HOUR,
     "how often processes are looked for"},
    {"metrics", "per_arena", SETTING_BOOL, CONFIG(metrics.per_arena), "false", 0, 0,
     "the malloc_arena_* families"},
    {"metrics", "max_arenas", SETTING_COUNT, CONFIG(metrics.max_arenas), "64", 1, 65536,
     "arenas with series of their own"},
    {"metrics", "size_histogram", SETTING_BOOL, CONFIG(metrics.size_histogram), "true", 0, 0,
     "malloc_chunk_size_bytes"},
    {"metrics", "residency", SETTING_BOOL, CONFIG(metrics.residency), "true", 0, 0,
     "resident, swapped and trimmable bytes"},
    {"api", "access", SETTING_ACCESS, CONFIG(api.access), "authenticated", 0, 0, "who may ask for addresses"},
    {"api", "memory", SETTING_BOOL, CONFIG(api.memory), "false", 0, 0, "memory contents over HTTP"},
    {"api", "max_consistency", SETTING_MAX_CONSISTENCY, CONFIG(api.max_consistency), "entry", 0, 0,
     "the strongest consistency that a request may ask for"},
    {"api", "max_streams", SETTING_COUNT, CONFIG(api.max_streams), "2", 1, 64, "dumps at once"},
    {"api", "stream_timeout", SETTING_DURATION, CONFIG(api.stream_timeout_ns), "5m", SECOND, 24 * HOUR,
     "how long a dump may take"},
    {"api", "snapshot_buffer", SETTING_SIZE, CONFIG(api.snapshot_buffer_bytes), "64MiB", UINT64_C(1) << 16,
     UINT64_C(1) << 36, "memory for the chunks of a snapshot dump"},
};
const size_t SETTINGS_COUNT = sizeof SETTINGS / sizeof *SETTINGS;

/* Positions are the values of enum consistency. */
static const char *const CONSISTENCIES[] = {"live", "sliced", "snapshot"};
#define CONSISTENCY_IS_SLICED 1

const struct setting *setting_find(const char *section, const char *key)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].section, section) == 0 && strcmp(SETTINGS[i].key, key) == 0)
            return &SETTINGS[i];
    return NULL;
}

static bool in_range(const struct setting *setting, uint64_t value, const char **why)
{
    static _Thread_local char text[120];
    uint64_t unit = setting->type == SETTING_DURATION || setting->type == SETTING_TIMEOUT ? MS : 1;
    if (value >= setting->min && value <= setting->max)
        return true;
    snprintf(text, sizeof text, "must lie between %llu and %llu%s", (unsigned long long)(setting->min / unit),
             (unsigned long long)(setting->max / unit), unit == MS ? " ms" : "");
    *why = text;
    return false;
}

static bool set_duration(const struct setting *setting, uint64_t *field, const char *text, const char **why)
{
    uint64_t value;
    if (setting->type == SETTING_TIMEOUT && strcmp(text, "auto") == 0) {
        *field = 0;
        return true;
    }
    *why =
        setting->type == SETTING_TIMEOUT ? "must be auto or a duration as 30s" : "must be a duration as 30s";
    if (!value_duration(text, &value) || !in_range(setting, value, why))
        return false;
    *field = value;
    return true;
}

static bool set_consistency(const struct setting *setting, int *field, const char *text, const char **why)
{
    bool may_be_entry = setting->type == SETTING_MAX_CONSISTENCY;
    if (may_be_entry && strcmp(text, "entry") == 0) {
        *field = -1;
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, CONSISTENCIES[i]) != 0)
            continue;
        *why = "sliced is not available in this version: use live or snapshot";
        *field = i;
        return i != CONSISTENCY_IS_SLICED;
    }
    *why = may_be_entry ? "must be entry, live or snapshot" : "must be live or snapshot";
    return false;
}

static bool set_access(enum api_access *field, const char *text, const char **why)
{
    static const char *const NAMES[] = {"authenticated", "local", "open"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, NAMES[i]) == 0) {
            *field = (enum api_access)i;
            return true;
        }
    *why = "must be authenticated, local or open";
    return false;
}

static bool set_count(const struct setting *setting, uint32_t *field, const char *text, const char **why)
{
    uint64_t value;
    *why = "must be a whole number";
    if (!value_count(text, &value) || !in_range(setting, value, why))
        return false;
    *field = (uint32_t)value;
    return true;
}

static bool set_size(const struct setting *setting, uint64_t *field, const char *text, const char **why)
{
    uint64_t value;
    *why = "must be a size as 64MiB";
    if (!value_size(text, &value) || !in_range(setting, value, why))
        return false;
    *field = value;
    return true;
}

static bool set_share(const struct setting *setting, double *field, const char *text, const char **why)
{
    double value;
    *why = "must be a share of one core as 5%";
    if (!value_share(text, &value) || value > (double)setting->max)
        return false;
    *field = value;
    return true;
}

bool setting_set(const struct setting *setting, void *base, const char *text, const char **why)
{
    void *field = (char *)base + setting->offset;
    switch (setting->type) {
    case SETTING_DURATION:
    case SETTING_TIMEOUT:
        return set_duration(setting, field, text, why);
    case SETTING_BOOL:
        *why = "must be true or false";
        return value_bool(text, field);
    case SETTING_COUNT:
        return set_count(setting, field, text, why);
    case SETTING_SHARE:
        return set_share(setting, field, text, why);
    case SETTING_SIZE:
        return set_size(setting, field, text, why);
    case SETTING_CONSISTENCY:
    case SETTING_MAX_CONSISTENCY:
        return set_consistency(setting, field, text, why);
    case SETTING_ACCESS:
        return set_access(field, text, why);
    }
    return false;
}

void settings_default(struct config *config)
{
    const char *why;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        bool is_scan = strcmp(SETTINGS[i].section, "scan") == 0;
        (void)setting_set(&SETTINGS[i], is_scan ? (void *)&config->scan : config, SETTINGS[i].default_text,
                          &why);
    }
}
