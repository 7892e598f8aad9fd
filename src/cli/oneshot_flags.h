/* oneshot_flags.h - the flags of the one-shot commands: one row each. */
#ifndef CLI_ONESHOT_FLAGS_H
#define CLI_ONESHOT_FLAGS_H

#include "cli/oneshot_options.h"

/** A flag; @is_switch: it may stand without a value, which then is "true". */
struct oneshot_flag {
    const char *name;
    const char *short_name;
    bool is_switch;
    enum status (*set)(const char *flag, const char *value, struct oneshot_options *options,
                       struct error *err);
};

/** The flag that @argument names, or NULL; *@value: what stands behind its "=", or NULL. */
const struct oneshot_flag *oneshot_flag_find(const char *argument, const char **value);

/** A whole number from @least to @most. STATUS_USAGE: the message names @flag. */
enum status oneshot_parse_u64(const char *flag, const char *value, uint64_t least, uint64_t most,
                              uint64_t *ret, struct error *err) must_check;

/** "text" … */
const char *output_format_name(enum output_format format);

#endif
