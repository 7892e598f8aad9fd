/* oneshot_options.h - what a one-shot command is asked for: the target and the filter, from its arguments. */
#ifndef CLI_ONESHOT_OPTIONS_H
#define CLI_ONESHOT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "snapshot/snapshot.h"

/** How results are printed: enumerator, name. */
#define OUTPUT_TABLE(X) \
    X(TEXT, "text")     \
    X(JSON, "json")     \
    X(NDJSON, "ndjson") \
    X(CSV, "csv")       \
    X(PROMETHEUS, "prometheus")
enum output_format {
#define X(name, label) OUTPUT_##name,
    OUTPUT_TABLE(X)
#undef X
        OUTPUT_COUNT
};

/** The arguments, checked. Strings point into argv. */
struct oneshot_options {
    int32_t pid;         /* 0: by name or pattern */
    const char *name;    /* -n: exact comm */
    const char *pattern; /* -P: PCRE2 on the command line */
    const char *procfs;
    enum output_format format;
    enum consistency consistency;
    uint64_t snapshot_max_pause_ns;
    uint64_t timeout_ns; /* 0: 10 s and 1 s a GiB */
    bool read_swapped;
    uint32_t states; /* bit i: enum chunk_state i; 0: all */
    bool has_arena;
    uint32_t arena;
    uint64_t min_bytes, max_bytes;
    uint64_t limit; /* 0: none */
    bool wants_help;
};

/**
 * Parse @argv behind the subcommand's name. STATUS_USAGE: the message names the argument and what is allowed.
 * @formats is the set (bit per enum output_format) that the subcommand has; on a terminal the default is
 * text, else @piped_format.
 */
enum status oneshot_options_parse(int argc, char **argv, unsigned formats, enum output_format piped_format,
                                  struct oneshot_options *ret, struct error *err) must_check;

/** The flags' help, lines as --help prints them. */
const char *oneshot_options_help(void);

#endif
