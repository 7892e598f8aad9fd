/* match.c - which entry takes a process (config_match). */
#include <string.h>

#include "config/config.h"
#include "config/name_template.h"
#include "config/pattern.h"

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static bool has_string(const struct string_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static bool match_comm(const struct matchers *match, const struct process_facts *facts)
{
    return has_string(&match->comm, text_of(facts->comm));
}

/* argv[0]: an item with a slash is the whole of it, one without its base name. */
static bool match_exe(const struct matchers *match, const struct process_facts *facts)
{
    const char *exe = facts->argv0 && *facts->argv0 ? facts->argv0 : text_of(facts->comm);
    const char *slash = strrchr(exe, '/'), *base = slash ? slash + 1 : exe;
    for (size_t i = 0; i < match->exe.count; i++) {
        const char *item = match->exe.items[i];
        if (strcmp(item, strchr(item, '/') ? exe : base) == 0)
            return true;
    }
    return false;
}

static bool match_exe_path(const struct matchers *match, const struct process_facts *facts)
{
    return has_string(&match->exe_path, text_of(facts->exe_path));
}

static bool match_cmdline(const struct matchers *match, const struct process_facts *facts)
{
    for (size_t i = 0; i < match->cmdline.count; i++)
        if (!pattern_matches(match->cmdline.items[i], text_of(facts->cmdline)))
            return false;
    return true;
}

static bool match_user(const struct matchers *match, const struct process_facts *facts)
{
    return has_string(&match->user, text_of(facts->user));
}

static bool match_unit(const struct matchers *match, const struct process_facts *facts)
{
    return has_string(&match->unit, text_of(facts->unit));
}

static bool matches_path(const struct pattern *pattern, const char *line, size_t length)
{
    char path[4096];
    const char *colon = memchr(line, ':', length);
    colon = colon ? memchr(colon + 1, ':', length - (size_t)(colon + 1 - line)) : NULL;
    size_t path_length = colon ? length - (size_t)(colon + 1 - line) : 0;
    if (!colon || path_length >= sizeof path)
        return false;
    memcpy(path, colon + 1, path_length);
    path[path_length] = '\0';
    return pattern_matches(pattern, path);
}

static bool match_cgroup(const struct matchers *match, const struct process_facts *facts)
{
    for (const char *line = text_of(facts->cgroups); *line;) {
        size_t length = strcspn(line, "\n");
        for (size_t i = 0; i < match->cgroup.count; i++)
            if (matches_path(match->cgroup.items[i], line, length))
                return true;
        line += length;
        line += *line != '\0';
    }
    return false;
}

static bool match_pid(const struct matchers *match, const struct process_facts *facts)
{
    for (size_t i = 0; i < match->pids_count; i++)
        if (match->pids[i] == facts->pid)
            return true;
    return false;
}

static bool match_pid_file(const struct matchers *match, const struct process_facts *facts)
{
    return facts->pid_file_of && facts->pid_file_of(facts->pid_file_context, match->pid_file) == facts->pid;
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
static bool has_cmdline(const struct matchers *match)
{
    return match->cmdline.count > 0;
}
static bool has_user(const struct matchers *match)
{
    return match->user.count > 0;
}
static bool has_unit(const struct matchers *match)
{
    return match->unit.count > 0;
}
static bool has_cgroup(const struct matchers *match)
{
    return match->cgroup.count > 0;
}
static bool has_pid(const struct matchers *match)
{
    return match->pids_count > 0;
}
static bool has_pid_file(const struct matchers *match)
{
    return match->pid_file != NULL;
}

static const struct {
    const char *name;
    bool (*is_given)(const struct matchers *match);
    bool (*matches)(const struct matchers *match, const struct process_facts *facts);
} KINDS[] = {
    {"comm", has_comm, match_comm},
    {"exe", has_exe, match_exe},
    {"exe_path", has_exe_path, match_exe_path},
    {"user", has_user, match_user},
    {"unit", has_unit, match_unit},
    {"pid", has_pid, match_pid},
    {"pid_file", has_pid_file, match_pid_file},
    {"cgroup", has_cgroup, match_cgroup},
    {"cmdline", has_cmdline, match_cmdline},
};
#define KIND_COUNT (sizeof KINDS / sizeof *KINDS)

/* NULL: the entry takes it; else the kind of matcher that does not, with *@is_exclude. */
static const char *first_refusal(const struct entry *entry, const struct process_facts *facts,
                                 bool *is_exclude)
{
    *is_exclude = false;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (KINDS[i].is_given(&entry->match) && !KINDS[i].matches(&entry->match, facts))
            return KINDS[i].name;
    *is_exclude = true;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (KINDS[i].is_given(&entry->exclude) && KINDS[i].matches(&entry->exclude, facts))
            return KINDS[i].name;
    return NULL;
}

bool config_match(const struct config *config, const struct process_facts *facts, struct match_result *ret,
                  struct buffer *why)
{
    for (size_t i = 0; i < config->entries_count; i++) {
        bool is_exclude;
        const struct entry *entry = &config->entries[i];
        const char *kind = first_refusal(entry, facts, &is_exclude);
        if (!kind) {
            ret->entry = entry;
            name_template_render(entry->name, facts, &entry->match, ret->group);
            return true;
        }
        if (why)
            buffer_printf(why, "entry at line %u: %s%s\n", entry->line,
                          is_exclude ? "excluded by " : "does not match by ", kind);
    }
    return false;
}
