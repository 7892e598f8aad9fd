/*
 * match.c - which entry takes a process.
 *
 * What process-exporter knows too (comm, exe, cmdline) takes the same processes there and here. min_uptime is
 * no matcher: it delays the first scan of a process that the entry has taken, which else the next entry would
 * take until it is old enough.
 */
#include <string.h>

#include "config/config.h"
#include "config/facts.h"
#include "config/name_template.h"
#include "config/pattern.h"
#include "config/problems.h"

/* of a list in an explanation */
#define ITEMS_SHOWN_MAX 10

static void show(struct buffer *why, const char *text)
{
    buffer_text(why, problems_show(text, strlen(text)).text);
}

/* " is not one of a, b" */
static void explain_strings(const struct string_list *list, struct buffer *why)
{
    buffer_text(why, list->count == 1 ? " is not " : " is not one of ");
    for (size_t i = 0; i < list->count && i < ITEMS_SHOWN_MAX; i++) {
        buffer_text(why, i > 0 ? ", " : "");
        show(why, list->items[i]);
    }
    if (list->count > ITEMS_SHOWN_MAX)
        buffer_printf(why, " and %zu more", list->count - ITEMS_SHOWN_MAX);
}

/* " does not match 'a'"; of several that none does */
static void explain_pattern(const struct pattern_list *list, const struct pattern *pattern,
                            enum pattern_verdict verdict, struct buffer *why)
{
    if (verdict == PATTERN_GAVE_UP)
        buffer_text(why, " takes too many steps to match '");
    else if (pattern)
        buffer_text(why, " does not match '");
    else
        buffer_text(why,
                    list->count == 1 ? " does not match '" : " matches none of its patterns, the first is '");
    show(why, pattern_text(pattern ? pattern : list->items[0]));
    buffer_text(why, "'");
}

static bool has_string(const struct string_list *list, const char *text)
{
    for (size_t i = 0; text && i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

/* Each function: does the kind take the process? Where not, and @why is not NULL, why. */

static bool match_comm(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    bool is_taken = has_string(&match->comm, facts->comm);
    if (!is_taken && why)
        explain_strings(&match->comm, why);
    return is_taken;
}

/* An item with a slash is the whole of argv[0], one without its base name. */
static bool match_exe(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    const char *argv0 = facts_text(facts->argv0);
    struct facts_part base = facts_base(argv0);
    for (size_t i = 0; facts->argv0 && i < match->exe.count; i++) {
        const char *item = match->exe.items[i];
        if (strchr(item, '/') ? strcmp(item, argv0) == 0
                              : strlen(item) == base.length && memcmp(item, base.text, base.length) == 0)
            return true;
    }
    if (why)
        explain_strings(&match->exe, why);
    return false;
}

/* The kernel adds " (deleted)" where the file was replaced, as an upgrade does. */
static bool match_exe_path(const struct matchers *match, const struct process_facts *facts,
                           struct buffer *why)
{
    static const char DELETED[] = " (deleted)";
    const char *path = facts_text(facts->exe_path);
    for (size_t i = 0; *path && i < match->exe_path.count; i++) {
        const char *item = match->exe_path.items[i];
        size_t length = strlen(item);
        if (strncmp(path, item, length) == 0 && (path[length] == '\0' || strcmp(path + length, DELETED) == 0))
            return true;
    }
    if (why)
        explain_strings(&match->exe_path, why);
    return false;
}

static bool match_user(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    bool is_taken = has_string(&match->user, facts->user);
    if (!is_taken && why)
        explain_strings(&match->user, why);
    return is_taken;
}

static bool match_unit(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    bool is_taken = has_string(&match->unit, facts->unit);
    if (!is_taken && why)
        explain_strings(&match->unit, why);
    return is_taken;
}

static bool match_pid(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    for (size_t i = 0; i < match->pids_count; i++)
        if (match->pids[i] == facts->pid)
            return true;
    if (why)
        buffer_printf(why, " is not %s%d", match->pids_count > 1 ? "one of those given, the first is " : "",
                      (int)match->pids[0]);
    return false;
}

static bool match_pid_file(const struct matchers *match, const struct process_facts *facts,
                           struct buffer *why)
{
    int32_t pid = facts->pid_file_of ? facts->pid_file_of(facts->pid_file_context, match->pid_file) : 0;
    if (pid > 0 && pid == facts->pid)
        return true;
    /* in a container the file names it as it is called there */
    bool is_inner = facts->inner_pid_file_of && facts->own_pid > 0 && facts->own_pid != facts->pid;
    if (is_inner && facts->inner_pid_file_of(facts->pid_file_context, match->pid_file) == facts->own_pid)
        return true;
    if (why) {
        buffer_text(why, " ");
        show(why, match->pid_file);
        if (pid > 0)
            buffer_printf(why, " names process %d", (int)pid);
        else
            buffer_text(why, " names no process");
    }
    return false;
}

/* Any pattern on any line's path. */
static bool match_cgroup(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    const char *at = facts_text(facts->cgroups);
    struct facts_part path;
    while (facts_next_cgroup(&at, &path))
        for (size_t i = 0; i < match->cgroup.count; i++)
            if (pattern_match(match->cgroup.items[i], path.text, path.length) == PATTERN_MATCHES)
                return true;
    if (why)
        explain_pattern(&match->cgroup, NULL, PATTERN_DIFFERS, why);
    return false;
}

/* Of an entry all patterns must match. */
static bool match_cmdline(const struct matchers *match, const struct process_facts *facts, struct buffer *why)
{
    const char *cmdline = facts_text(facts->cmdline);
    for (size_t i = 0; i < match->cmdline.count; i++) {
        const struct pattern *pattern = match->cmdline.items[i];
        enum pattern_verdict verdict = pattern_match(pattern, cmdline, strlen(cmdline));
        if (verdict == PATTERN_MATCHES)
            continue;
        if (why)
            explain_pattern(&match->cmdline, pattern, verdict, why);
        return false;
    }
    return true;
}

static bool has_comm(const struct matchers *match)
{
    return match->comm.count > 0;
}

static bool has_exe(const struct matchers *match)
{
    return match->exe.count > 0;
}

static bool has_exe_path(const struct matchers *match)
{
    return match->exe_path.count > 0;
}

static bool has_user(const struct matchers *match)
{
    return match->user.count > 0;
}

static bool has_unit(const struct matchers *match)
{
    return match->unit.count > 0;
}

static bool has_pid(const struct matchers *match)
{
    return match->pids_count > 0;
}

static bool has_pid_file(const struct matchers *match)
{
    return match->pid_file != NULL;
}

static bool has_cgroup(const struct matchers *match)
{
    return match->cgroup.count > 0;
}

static bool has_cmdline(const struct matchers *match)
{
    return match->cmdline.count > 0;
}

/* The cheap ones first. */
static const struct kind {
    const char *name;
    bool (*is_given)(const struct matchers *match);
    bool (*matches)(const struct matchers *match, const struct process_facts *facts, struct buffer *why);
} KINDS[] = {
    {"comm", has_comm, match_comm},
    {"pid", has_pid, match_pid},
    {"exe", has_exe, match_exe},
    {"exe_path", has_exe_path, match_exe_path},
    {"user", has_user, match_user},
    {"unit", has_unit, match_unit},
    {"pid_file", has_pid_file, match_pid_file},
    {"cgroup", has_cgroup, match_cgroup},
    {"cmdline", has_cmdline, match_cmdline},
};
#define KINDS_COUNT (sizeof KINDS / sizeof *KINDS)

static bool takes(const struct entry *entry, const struct process_facts *facts, struct buffer *why)
{
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (!KINDS[i].is_given(&entry->match))
            continue;
        size_t before = why ? why->length : 0;
        if (why)
            buffer_printf(why, "entry at line %u: %s", entry->line, KINDS[i].name);
        if (!KINDS[i].matches(&entry->match, facts, why)) {
            if (why)
                buffer_text(why, "\n");
            return false;
        }
        if (why)
            why->length = before;
    }
    for (size_t i = 0; i < KINDS_COUNT; i++)
        if (KINDS[i].is_given(&entry->exclude) && KINDS[i].matches(&entry->exclude, facts, NULL)) {
            if (why)
                buffer_printf(why, "entry at line %u: excluded by %s\n", entry->line, KINDS[i].name);
            return false;
        }
    return true;
}

bool config_match(const struct config *config, const struct process_facts *facts, struct match_result *ret,
                  struct buffer *why)
{
    for (size_t i = 0; i < config->entries_count; i++) {
        const struct entry *entry = &config->entries[i];
        if (!takes(entry, facts, why))
            continue;
        ret->entry = entry;
        name_template_render(entry->name, facts, &entry->match, ret->group);
        return true;
    }
    return false;
}
