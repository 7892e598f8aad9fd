/* explain.c - see explain.h. */
#include "cli/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/fail.h"
#include "config/name_template.h"
#include "roles/scanner/facts.h"
#include "roles/scanner/groups.h"
#include "roles/scanner/pid_files.h"
#include "target/live.h"
#include "target/proc_file.h"

#define ANCESTORS_MAX 64

/* What an explanation looks at. */
struct explanation {
    const struct config *config;
    const char *procfs;
    struct users users;
    struct pid_files pid_files;
};

static void explanation_deinit(struct explanation *explanation)
{
    users_deinit(&explanation->users);
    pid_files_deinit(&explanation->pid_files);
}

/* What the entries say of the process @pid whose stat is @stat. */
static enum status match(struct explanation *explanation, int32_t pid, const struct proc_stat *stat,
                         struct facts *facts, struct match_result *ret, struct buffer *why, struct error *err)
{
    enum status status = facts_read(explanation->procfs, pid, stat, &explanation->users, facts, err);
    if (status != STATUS_OK)
        return status;
    const struct pid_file_view view = {&explanation->pid_files, explanation->procfs, pid,
                                       (int32_t)stat->live_tid};
    facts->match.pid_file_of = pid_files_find;
    facts->match.inner_pid_file_of = pid_files_find_inner;
    facts->match.pid_file_context = &view;
    bool is_taken = config_match(explanation->config, &facts->match, ret, why);
    facts->match.pid_file_context = NULL;
    return is_taken ? STATUS_OK : STATUS_NOT_FOUND;
}

static void print_shown(const char *name, const char *text)
{
    char clean[1024];
    utf8_clean(clean, sizeof clean, text);
    for (char *at = clean; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    printf("  %-9s %s\n", name, clean);
}

static void print_facts(const struct facts *facts)
{
    const struct process_facts *match = &facts->match;
    print_shown("comm", match->comm);
    print_shown("exe", match->argv0 ? match->argv0 : "(no argv)");
    print_shown("exe_path", match->exe_path);
    print_shown("cmdline", match->cmdline);
    print_shown("user", match->user);
    print_shown("unit", match->unit);
}

static void print_entry(const struct match_result *found, const struct facts *facts)
{
    const struct entry *entry = found->entry;
    printf("entry at line %u takes it, into the group \"%s\"\n", entry->line, found->group);
    if (facts->match.uptime_ns < entry->min_uptime_ns)
        printf("its first scan waits for min_uptime: %" PRIu64 " s more\n",
               (entry->min_uptime_ns - facts->match.uptime_ns) / NS_PER_SECOND + 1);
}

/* The entry that has the group from the start, since its name is written out; NULL: none. */
static const struct entry *find_owner(const struct config *config, const char *group)
{
    const char *name;
    for (size_t i = 0; i < config->entries_count; i++)
        if (name_template_is_literal(config->entries[i].name, &name) && strcmp(name, group) == 0)
            return &config->entries[i];
    return NULL;
}

/* Say so where @pid brings other labels into the group that @found brings its own into. */
static bool print_rival(struct explanation *explanation, const struct match_result *found, int32_t pid)
{
    struct proc_stat stat;
    struct match_result other;
    scoped_facts struct facts facts = {0};
    if (proc_stat_read(explanation->procfs, pid, &stat, NULL) != STATUS_OK || proc_stat_has_ended(&stat) ||
        match(explanation, pid, &stat, &facts, &other, NULL, NULL) != STATUS_OK ||
        strcmp(other.group, found->group) != 0 || groups_agree(other.entry, found->entry))
        return false;
    printf("the entry at line %u takes process %d into that group too, with other labels or another "
           "identify_by: only who was seen first is scanned, the other one is skipped as a conflict\n",
           other.entry->line, (int)pid);
    return true;
}

/* A group has its labels from one entry: who would bring others is kept out. */
static void explain_conflict(struct explanation *explanation, const struct match_result *found)
{
    const struct entry *owner = find_owner(explanation->config, found->group);
    if (owner && !groups_agree(owner, found->entry))
        printf("it is not scanned: the entry at line %u gives that group other labels or another "
               "identify_by (a conflict)\n",
               owner->line);
    scoped_directory DIR *directory = owner ? NULL : opendir(explanation->procfs);
    pid_t pid;
    while (directory && (pid = proc_next_pid(directory)) != 0)
        if (print_rival(explanation, found, pid))
            return;
}

/* The nearest ancestor that an entry takes decides: with children: true its group takes this one. */
static void explain_ancestors(struct explanation *explanation, int32_t pid)
{
    for (unsigned i = 0; i < ANCESTORS_MAX && pid > 0; i++) {
        struct proc_stat stat;
        struct match_result found;
        scoped_facts struct facts facts = {0};
        if (proc_stat_read(explanation->procfs, pid, &stat, NULL) != STATUS_OK)
            break;
        if (match(explanation, pid, &stat, &facts, &found, NULL, NULL) == STATUS_OK) {
            printf("its ancestor %d is taken by the entry at line %u, %s\n", (int)pid, found.entry->line,
                   found.entry->children ? "whose children: true takes it too"
                                         : "which has no children: true");
            if (!found.entry->children)
                return;
            printf("it is in the group \"%s\"\n", found.group);
            explain_conflict(explanation, &found);
            return;
        }
        pid = (int32_t)stat.ppid;
    }
}

int explain_process(const struct config *config, const char *procfs, int32_t pid)
{
    scoped(explanation_deinit) struct explanation explanation = {.config = config, .procfs = procfs};
    scoped_facts struct facts facts = {0};
    scoped_buffer struct buffer why = {0};
    struct proc_stat stat;
    struct match_result found;
    struct error err = {0};
    users_refresh(&explanation.users);
    pid_files_read(config, &explanation.pid_files);
    enum status status = target_live_check_procfs(procfs, &err);
    if (status == STATUS_OK)
        status = proc_stat_read(procfs, pid, &stat, &err);
    if (status == STATUS_OK)
        status = match(&explanation, pid, &stat, &facts, &found, &why, &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return cli_fail(&err);
    printf("process %d\n", (int)pid);
    print_facts(&facts);
    if (proc_stat_has_ended(&stat))
        printf("it has ended and waits for its parent (a zombie): it is not scanned\n");
    fputs(buffer_string(&why), stdout);
    if (status == STATUS_OK) {
        print_entry(&found, &facts);
        explain_conflict(&explanation, &found);
        return 0;
    }
    printf("no entry takes it\n");
    explain_ancestors(&explanation, (int32_t)stat.ppid);
    return 0;
}
