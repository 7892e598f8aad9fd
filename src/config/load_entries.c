/* load_entries.c - the entries of process_names, and what holds between them. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/load.h"
#include "config/name_template.h"
#include "config/pattern.h"
#include "config/settings.h"

#define ENTRIES_MAX 10000
#define DEFAULT_NAME "{{.ExeBase}}"

static void set_name(struct loader *loader, const struct yaml_node *node, const char *text,
                     struct entry *entry)
{
    struct error err = {0};
    size_t offset = 0;
    enum status status = entry->name ? STATUS_OK : name_template_new(text, &entry->name, &offset, &err);
    if (status == STATUS_NO_MEMORY)
        loader->problems.no_memory = true;
    else if (status != STATUS_OK)
        problems_add(&loader->problems, node->line, load_column(node, offset), "name: %s", err.message);
}

static void load_name(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    /* an empty name is the default, as process-exporter has it */
    if (yaml_node_is_null(node) || (node->kind == NODE_TEXT && node->length == 0))
        return;
    if (load_is(loader, node, NODE_TEXT, "name"))
        set_name(loader, node, node->text, entry);
}

static void refuse_key(struct loader *loader, const struct yaml_node *key)
{
    scoped_buffer struct buffer known = {0};
    buffer_text(&known, "name, ");
    load_matcher_keys(&known);
    buffer_text(&known, ", exclude, labels, scan, ");
    setting_keys("entry", &known);
    load_problem(loader, key, "unknown key \"%s\" in an entry; there are %s",
                 problems_show(key->text, key->length).text, buffer_string(&known));
}

static void load_key(struct loader *loader, const struct yaml_node *key, const struct yaml_node *value,
                     struct entry *entry)
{
    if (strcmp(key->text, "name") == 0)
        load_name(loader, value, entry);
    else if (strcmp(key->text, "exclude") == 0)
        load_exclude(loader, value, &entry->exclude);
    else if (strcmp(key->text, "labels") == 0)
        load_labels(loader, value, entry);
    else if (strcmp(key->text, "scan") == 0)
        load_section(loader, "scan", "the scan of an entry", value, &entry->scan);
    else if (!load_matcher(loader, "", key, value, &entry->match) &&
             !load_setting(loader, "entry", key, value, entry))
        refuse_key(loader, key);
}

static bool has_group(const struct matchers *match, const char *group)
{
    for (size_t i = 0; i < match->cmdline.count; i++)
        if (pattern_has_group(match->cmdline.items[i], group))
            return true;
    return false;
}

/* Each {{.Matches.NAME}} must be a group of a cmdline pattern; @node is the name. */
static void check_matches(struct loader *loader, const struct yaml_node *node, const struct entry *entry)
{
    size_t offset;
    const char *group;
    for (size_t i = 0; (group = name_template_match_name(entry->name, i, &offset)) != NULL; i++)
        if (!has_group(&entry->match, group))
            problems_add(&loader->problems, node->line, load_column(node, offset),
                         "name: no pattern of this entry's cmdline has the group (?P<%s>…)",
                         problems_show(group, strlen(group)).text);
}

static void load_entry(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    const struct yaml_node *name = node;
    size_t found = loader->problems.found;
    entry->line = node->line;
    setting_defaults("entry", entry);
    if (!load_is(loader, node, NODE_MAP, "an entry of process_names"))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        if (strcmp(node->children[i]->text, "name") == 0)
            name = node->children[i + 1];
        load_key(loader, node->children[i], node->children[i + 1], entry);
    }
    bool is_sound = loader->problems.found == found;
    if (is_sound && !load_has_matcher(&entry->match)) {
        scoped_buffer struct buffer known = {0};
        load_matcher_keys(&known);
        load_problem(loader, node, "the entry has no matcher; give at least one of %s",
                     buffer_string(&known));
    }
    if (is_sound && !entry->name)
        set_name(loader, node, DEFAULT_NAME, entry);
    /* where a pattern is bad its groups are not known */
    if (is_sound && entry->name)
        check_matches(loader, name, entry);
}

/* An entry of a group that is there without any process. */
struct named {
    const char *name;
    const struct entry *entry;
    const struct yaml_node *node;
};

static int by_name(const void *a, const void *b)
{
    const struct named *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    if (order != 0)
        return order;
    return first->entry < second->entry ? -1 : first->entry > second->entry;
}

static void check_pair(struct loader *loader, const struct named *first, const struct named *other)
{
    if (!load_labels_are_equal(first->entry, other->entry))
        load_problem(loader, other->node,
                     "the group \"%s\" has other labels in the entry at line %u; they must be equal",
                     problems_show(first->name, strlen(first->name)).text, first->entry->line);
    if (first->entry->identify_by != other->entry->identify_by)
        load_problem(loader, other->node,
                     "the group \"%s\" has another identify_by in the entry at line %u; they must be equal",
                     problems_show(first->name, strlen(first->name)).text, first->entry->line);
}

/* Entries of one name are one group, which has one set of labels. */
static void check_groups(struct loader *loader, const struct yaml_node *list, const struct config *config)
{
    scoped_free struct named *named = calloc(config->entries_count, sizeof *named);
    size_t count = 0;
    if (!named) {
        loader->problems.no_memory = true;
        return;
    }
    for (size_t i = 0; i < config->entries_count; i++) {
        const struct entry *entry = &config->entries[i];
        const char *name;
        if (entry->name && name_template_is_literal(entry->name, &name))
            named[count++] = (struct named){name, entry, list->children[i]};
    }
    qsort(named, count, sizeof *named, by_name);
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(named[first].name, named[i].name) != 0)
            first = i;
        else
            check_pair(loader, &named[first], &named[i]);
    }
}

void load_entries(struct loader *loader, const struct yaml_node *node, struct config *config)
{
    if (yaml_node_is_null(node) || !load_is(loader, node, NODE_LIST, "process_names") || node->count == 0)
        return;
    if (node->count > ENTRIES_MAX) {
        load_problem(loader, node, "process_names has %zu entries; at most %d are allowed", node->count,
                     ENTRIES_MAX);
        return;
    }
    config->entries = calloc(node->count, sizeof *config->entries);
    if (!config->entries) {
        loader->problems.no_memory = true;
        return;
    }
    config->entries_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        config->entries[i].scan = config->scan;
        load_entry(loader, node->children[i], &config->entries[i]);
    }
    check_groups(loader, node, config);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->entries_count; i++) {
        name_template_free(config->entries[i].name);
        load_matchers_deinit(&config->entries[i].match);
        load_matchers_deinit(&config->entries[i].exclude);
        load_labels_deinit(&config->entries[i]);
    }
    free(config->entries);
    free(config);
}
