/*
 * settings.h - each setting once: where it stands in the file and in memory, its type, default, range and
 * help.
 *
 * The loader, the defaults, the messages and the help text read the rows; a setting is a row and nothing
 * else.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "config/config.h"

enum setting_type {
    SETTING_DURATION, /* uint64_t of nanoseconds */
    SETTING_BOOL,     /* bool */
    SETTING_ENUM,     /* int or an enum: one of the words */
    SETTING_PERCENT,  /* double, 5% is 0.05 */
    SETTING_SIZE,     /* uint64_t of bytes */
    SETTING_COUNT,    /* uint32_t */
};

/** A word that stands for a value. @refusal: NULL, or why it is known but not allowed. */
struct setting_word {
    const char *word;
    int value;
    const char *refusal;
};

/**
 * A setting. @section is its top-level key, "scan" also that of an entry; "entry" are settings of an entry
 * itself.
 * @offset is into struct scan_config, struct entry or struct config, by the section. @min and @max are
 * written as values are, NULL where the type has no range. @words end with a NULL word; of an enum they are
 * all there is, of other types values besides (auto).
 */
struct setting {
    const char *section;
    const char *key;
    enum setting_type type;
    size_t offset;
    const char *default_text;
    const char *min, *max;
    const struct setting_word *words;
    const char *help;
};

/** All settings, in the order of the example file, and how many there are. */
extern const struct setting SETTINGS[];
extern const size_t SETTINGS_COUNT;

/** The row of @section and @key, or NULL. */
const struct setting *setting_find(const char *section, const char *key);

/**
 * Put the value @text of @setting into @base, the struct of its section. False: it is none; what is allowed
 * is appended to @why ("must be true or false"), where that is not NULL.
 */
bool setting_set(const struct setting *setting, void *base, const char *text, struct buffer *why);

/** Append what values a setting may have: "a duration such as 30s or 1h30m, from 100ms to 24h". */
void setting_allowed(const struct setting *setting, struct buffer *ret);

/** Append the keys of @section: "interval, timeout, …". */
void setting_keys(const char *section, struct buffer *ret);

/** Put the defaults of all settings of @section into @base. */
void setting_defaults(const char *section, void *base);

#endif
