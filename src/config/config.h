/*
 * config.h - the configuration as the program uses it: what the YAML said, checked, with every default set.
 *
 * Each setting is one row in settings.c (key, type, default, range, help); the loader, the check and the help
 * text read that table. Nothing here looks at a process.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct pattern;       /* a compiled PCRE2 pattern; config/pattern.h */
struct name_template; /* a parsed name template; config/name_template.h */

enum api_access { API_AUTHENTICATED, API_LOCAL, API_OPEN }; /* who may ask for addresses */
enum identify_by { IDENTIFY_PID, IDENTIFY_NONE };           /* whether processes have series of their own */
/* `consistency` is 0 live, 1 sliced, 2 snapshot, as enum consistency in snapshot/snapshot.h */

/** Settings of a scan: defaults under `scan`, each entry has its own copy with its overrides applied. */
struct scan_config {
    uint64_t interval_ns;
    uint64_t timeout_ns; /* 0: auto */
    int consistency;
    uint64_t max_pause_ns;
    uint64_t snapshot_max_pause_ns;
    bool read_swapped;
};

/** A list of strings. */
struct string_list {
    char **items;
    size_t count, capacity;
};

/** A list of compiled patterns. */
struct pattern_list {
    struct pattern **items;
    size_t count, capacity;
};

/** A constant label; names and values are checked UTF-8. */
struct label {
    char *name;
    char *value;
};

/**
 * Matchers of an entry, and of its `exclude`. An empty list is a matcher that was not given. Of an entry all
 * kinds that are given must match; one kind that matches excludes. A kind matches where any item does,
 * cmdline where all patterns do.
 */
struct matchers {
    struct string_list comm;
    struct string_list exe;
    struct string_list exe_path;
    struct pattern_list cmdline;
    struct string_list user;
    struct string_list unit;
    struct pattern_list cgroup;
    int32_t *pids;
    size_t pids_count, pids_capacity;
    char *pid_file; /* NULL: not given */
};

/** One entry of process_names. @line is where it begins in the file. */
struct entry {
    struct name_template *name;
    struct matchers match;
    struct matchers exclude;
    uint64_t min_uptime_ns; /* the first scan of a process that the entry took waits for it */
    bool children;
    struct label *labels; /* sorted by name */
    size_t labels_count;
    enum identify_by identify_by;
    struct scan_config scan;
    unsigned line;
};

/** The whole configuration. */
struct config {
    struct scan_config scan;
    struct {
        uint32_t concurrency;
        uint32_t scan_threads;
        double max_cpu; /* of one core: 0.05 is 5 % */
        uint32_t max_processes;
        uint32_t max_series;
        uint64_t group_ttl_ns;
    } limits;
    struct {
        uint64_t interval_ns;
    } discovery;
    struct {
        bool per_arena;
        uint32_t max_arenas;
        bool size_histogram;
        bool residency;
    } metrics;
    struct {
        enum api_access access;
        bool memory;
        int max_consistency; /* -1: entry */
        uint32_t max_streams;
        uint64_t stream_timeout_ns;
        uint64_t snapshot_buffer_bytes;
    } api;
    struct entry *entries;
    size_t entries_count;
    bool is_default; /* no file: the largest processes with glibc malloc, grouped by comm */
};

/**
 * Load the YAML in @text (@length bytes; @file is its name for messages). All errors of the file are appended
 * to @problems, a line each: "FILE:LINE:COLUMN: what is wrong, and what is allowed". On success *@ret is the
 * configuration; config_free() ends it. STATUS_USAGE where there is any problem.
 */
enum status config_load(const char *file, const char *text, size_t length, struct config **ret,
                        struct buffer *problems, struct error *err) must_check;

/** The configuration where there is no file: is_default set, all else defaults. */
enum status config_default(struct config **ret, struct error *err) must_check;

/** Free; NULL is allowed. */
void config_free(struct config *config);

/**
 * What an entry is matched against. Pointers stay the caller's; NULL where not known.
 * @argv0 is argv[0] (NULL for a process without argv), @cmdline argv joined by blanks.
 */
struct process_facts {
    int32_t pid;
    int32_t own_pid; /* in its innermost pid namespace */
    const char *comm;
    const char *argv0;
    const char *cmdline;
    const char *exe_path; /* the /proc/PID/exe link */
    const char *user;     /* effective user's name, or its number */
    const char *unit;
    const char *cgroups; /* lines of /proc/PID/cgroup */
    const char *cwd;
    const char *container_id;
    const char *pod_uid;
    double start_time_seconds;
    uint64_t uptime_ns;
    /* The pid that the file at @path names now, 0 for none; NULL: no pid file matches. */
    int32_t (*pid_file_of)(const void *context, const char *path);
    /* The same of the file as the process itself sees it, in a container: its own_pid. NULL: not looked at.
     */
    int32_t (*inner_pid_file_of)(const void *context, const char *path);
    const void *pid_file_context;
};

/** What config_match() found. */
struct match_result {
    const struct entry *entry;
    char group[256]; /* the rendered name: valid UTF-8 */
};

/**
 * The first entry that takes the process, whether it is older than min_uptime or not. False: none does. Where
 * @why is not NULL, a line for each entry is appended that says why it does not ("entry at line 12: comm is
 * not one of …").
 */
bool config_match(const struct config *config, const struct process_facts *facts, struct match_result *ret,
                  struct buffer *why);

#endif
