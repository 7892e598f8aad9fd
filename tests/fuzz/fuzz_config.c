/*
 * fuzz_config.c - the configuration's text, and what its entries make of a process: input up to the first NUL
 * is the file, what lies behind it comm, argv and cgroups.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_config: %s\n", what);
        abort();
    }
}

static void check_scan(const struct scan_config *scan)
{
    require(scan->interval_ns > 0 && scan->max_pause_ns > 0 && scan->snapshot_max_pause_ns > 0,
            "a time of 0");
    require(scan->consistency >= 0 && scan->consistency <= 2, "a consistency that is none");
}

static void check(const struct config *config)
{
    check_scan(&config->scan);
    require(config->limits.concurrency >= 1 && config->limits.concurrency <= 32, "concurrency");
    require(config->limits.max_cpu > 0 && config->limits.max_processes > 0, "limits");
    require(config->api.max_consistency >= -1 && config->api.max_consistency <= 2, "max_consistency");
    for (size_t i = 0; i < config->entries_count; i++) {
        const struct entry *entry = &config->entries[i];
        check_scan(&entry->scan);
        require(entry->name && entry->line > 0, "an entry without a name or place");
        for (size_t j = 1; j < entry->labels_count; j++)
            require(strcmp(entry->labels[j - 1].name, entry->labels[j].name) < 0, "labels are not sorted");
    }
}

static bool is_utf8(const char *text)
{
    size_t left = strlen(text), length;
    for (; left > 0; text += length, left -= length)
        if ((length = utf8_sequence_length(text, left)) == 0)
            return false;
    return true;
}

/* The next of the texts behind the file, which the input's end ends too. */
static char *next_text(const uint8_t **data, size_t *size)
{
    size_t length = strnlen((const char *)*data, *size);
    char *text = strndup((const char *)*data, length);
    require(text != NULL, "no memory");
    length += length < *size;
    *data += length;
    *size -= length;
    return text;
}

static int32_t no_pid_file(const void *context, const char *path)
{
    (void)context;
    return path[0] == '/' ? 7 : 0;
}

static void match(const struct config *config, const uint8_t *data, size_t size)
{
    scoped_free char *comm = next_text(&data, &size);
    scoped_free char *argv0 = next_text(&data, &size);
    scoped_free char *cmdline = next_text(&data, &size);
    scoped_free char *cgroups = next_text(&data, &size);
    scoped_buffer struct buffer why = {0};
    struct match_result result = {0};
    const struct process_facts facts = {.pid = 7,
                                        .own_pid = 7,
                                        .comm = comm,
                                        .argv0 = size % 2 ? argv0 : NULL,
                                        .cmdline = cmdline,
                                        .exe_path = argv0,
                                        .user = comm,
                                        .unit = comm,
                                        .cgroups = cgroups,
                                        .start_time_seconds = (double)size * 1e9,
                                        .pid_file_of = no_pid_file};
    bool is_taken = config_match(config, &facts, &result, &why);
    if (is_taken) {
        require(result.entry >= config->entries && result.entry < config->entries + config->entries_count,
                "an entry from elsewhere");
        require(memchr(result.group, 0, sizeof result.group) && is_utf8(result.group),
                "a name that is no UTF-8");
    }
    size_t passed = is_taken ? (size_t)(result.entry - config->entries) : config->entries_count, lines = 0;
    for (size_t i = 0; i < why.length; i++)
        lines += why.data[i] == '\n';
    require(lines == passed, "not one line for each entry that does not take it");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_buffer struct buffer problems = {0};
    struct config *config = NULL;
    struct error err = {0};
    size_t length = strnlen((const char *)data, size);
    enum status status = config_load("f", (const char *)data, length, &config, &problems, &err);
    require((status == STATUS_OK) == (config != NULL), "a verdict without its configuration");
    require((status == STATUS_OK) == (problems.length == 0), "a verdict without its reason");
    if (status == STATUS_OK) {
        check(config);
        length += length < size;
        match(config, data + length, size - length);
    }
    config_free(config);
    return 0;
}
