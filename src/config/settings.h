/* settings.h - each setting once: where it stands in the file and in struct config, its type, default, range.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum setting_type {
    SETTING_DURATION,        /* uint64_t of nanoseconds */
    SETTING_TIMEOUT,         /* the same, or "auto": 0 */
    SETTING_BOOL,            /* bool */
    SETTING_COUNT,           /* uint32_t */
    SETTING_SHARE,           /* double */
    SETTING_SIZE,            /* uint64_t of bytes */
    SETTING_CONSISTENCY,     /* int, as enum consistency in snapshot/snapshot.h */
    SETTING_MAX_CONSISTENCY, /* the same, or "entry": -1 */
    SETTING_ACCESS,          /* enum api_access */
};

/** A setting. @section is its top-level key; those of "scan" have their place in struct scan_config. */
struct setting {
    const char *section;
    const char *key;
    enum setting_type type;
    size_t offset;
    const char *default_text;
    uint64_t min, max; /* in the type's unit; of durations and counts */
    const char *help;
};

extern const struct setting SETTINGS[];
extern const size_t SETTINGS_COUNT;

/** The row of @section and @key, or NULL. */
const struct setting *setting_find(const char *section, const char *key);

/**
 * Put the value @text of @setting into @base (struct config, or struct scan_config for section "scan").
 * False: it is not one; *@why then says what is allowed, until the next call in this thread.
 */
bool setting_set(const struct setting *setting, void *base, const char *text, const char **why);

/** Put all defaults into @config. */
void settings_default(struct config *config);

#endif
