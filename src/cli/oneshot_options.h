/* oneshot_options.h - what a one-shot command is asked for: the target and the filter, from its arguments. */
#ifndef CLI_ONESHOT_OPTIONS_H
#define CLI_ONESHOT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

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

/** Arguments that are no flags: a PID and at most two of the command's own. */
#define ONESHOT_OPERANDS_MAX 3

/** What a search is for. */
enum oneshot_needle { ONESHOT_BYTES, ONESHOT_TEXT, ONESHOT_POINTER };

/** The arguments, checked. Strings point into argv. */
struct oneshot_options {
    int32_t pid;         /* 0: by name or pattern, or a core */
    const char *name;    /* -n: exact comm */
    const char *pattern; /* -P: PCRE2 on the command line */
    const char *core;    /* a core file, and where its program is now */
    const char *exe;
    const char *procfs;
    const char *operands[ONESHOT_OPERANDS_MAX]; /* of the command; NULL behind the last */
    enum output_format format;
    enum consistency consistency;
    uint64_t max_pause_ns, snapshot_max_pause_ns;
    uint64_t timeout_ns; /* 0: 10 s and 1 s a GiB */
    bool read_swapped;
    uint64_t scan_threads;
    uint32_t states; /* bit i: enum chunk_state i; 0: all */
    bool has_arena;
    uint32_t arena;
    uint64_t min_bytes, max_bytes;
    uint64_t limit;                  /* 0: none */
    uint32_t content_bytes;          /* chunks: of each; 0: none */
    uint64_t top;                    /* sizes */
    bool exact;                      /* symbols */
    uint64_t min_length;             /* strings; 0: not said */
    enum oneshot_needle needle_kind; /* search */
    const char *needle;              /* NULL: not said */
    bool wants_help;
};

/** What a subcommand takes and prints. */
struct oneshot_form {
    unsigned formats;                /* bit per enum output_format */
    enum output_format piped_format; /* where stdout is no terminal; on one it is text */
    unsigned operands_min, operands_max;
    const char *operands_help; /* "NAME [HEX]" */
};

/** Parse @argv behind the subcommand's name. STATUS_USAGE: the message names the argument and what is
 * allowed.
 */
enum status oneshot_options_parse(int argc, char **argv, const struct oneshot_form *form,
                                  struct oneshot_options *ret, struct error *err) must_check;

/** The flags by groups, as --help prints them. */
void oneshot_options_help(FILE *out);

#endif
