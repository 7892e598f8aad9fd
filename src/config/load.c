/* load.c - YAML to struct config: the file as a whole and its settings. */
#include "config/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/name_template.h"
#include "config/pattern.h"
#include "config/settings.h"

void load_problem(struct loader *loader, const struct yaml_node *node, const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (++loader->count > PROBLEMS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_printf(loader->problems, "%s:%u:%u: %s\n", loader->file, node->line, node->column, text);
}

static bool is_empty(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->is_plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

bool load_is(struct loader *loader, const struct yaml_node *node, enum yaml_kind kind, const char *what)
{
    static const char *const NAMES[] = {"a single value", "a list", "a map of keys and values"};
    if (node->kind == kind && !is_empty(node))
        return true;
    load_problem(loader, node, "%s must be %s", what, NAMES[kind]);
    return false;
}

static void suggest(struct loader *loader, const struct yaml_node *key, const char *section)
{
    char known[320] = "";
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        size_t used = strlen(known);
        if (strcmp(SETTINGS[i].section, section) == 0)
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", SETTINGS[i].key);
    }
    load_problem(loader, key, "unknown key %s in %s; it knows %s", key->text, section, known);
}

void load_settings(struct loader *loader, const struct yaml_node *node, const char *section, void *base)
{
    if (is_empty(node) || !load_is(loader, node, YAML_MAP, section))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct yaml_node *key = &node->children[i], *value = &node->children[i + 1];
        const struct setting *setting = setting_find(section, key->text);
        const char *why = "";
        if (!setting) {
            suggest(loader, key, section);
            continue;
        }
        if (!load_is(loader, value, YAML_SCALAR, key->text))
            continue;
        if (!setting_set(setting, base, value->text, &why))
            load_problem(loader, value, "%s.%s: %s; it is \"%.60s\"", section, key->text, why, value->text);
    }
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(SETTINGS[i].section, name) == 0)
            return true;
    return false;
}

static const struct yaml_node *find_key(const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; i + 1 < map->count; i += 2)
        if (strcmp(map->children[i].text, name) == 0)
            return &map->children[i + 1];
    return NULL;
}

static void load_root(struct loader *loader, const struct yaml_node *root, struct config *config)
{
    if (is_empty(root) || !load_is(loader, root, YAML_MAP, "the configuration"))
        return;
    /* first, since entries begin with its values */
    const struct yaml_node *scan = find_key(root, "scan");
    if (scan)
        load_settings(loader, scan, "scan", &config->scan);
    for (size_t i = 0; i + 1 < root->count; i += 2) {
        const struct yaml_node *key = &root->children[i], *value = &root->children[i + 1];
        if (strcmp(key->text, "scan") == 0)
            continue;
        if (strcmp(key->text, "process_names") == 0)
            load_entries(loader, value, config);
        else if (is_section(key->text))
            load_settings(loader, value, key->text, config);
        else
            load_problem(loader, key,
                         "unknown key %.60s; there are scan, limits, discovery, metrics, api, process_names",
                         key->text);
    }
}

enum status config_default(struct config **ret, struct error *err)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
    settings_default(config);
    config->is_default = true;
    config->metrics.size_histogram = false;
    *ret = config;
    return STATUS_OK;
}

static enum status finish(struct loader *loader, struct config *config, struct config **ret,
                          struct error *err)
{
    if (loader->count == 0 && !loader->has_no_memory) {
        *ret = config;
        return STATUS_OK;
    }
    config_free(config);
    if (loader->has_no_memory)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
    if (loader->count > PROBLEMS_MAX)
        buffer_printf(loader->problems, "%s: and %u more\n", loader->file, loader->count - PROBLEMS_MAX);
    return error_set(err, STATUS_USAGE, "%s: %u problem%s", loader->file, loader->count,
                     loader->count == 1 ? "" : "s");
}

enum status config_load(const char *file, const char *text, size_t length, struct config **ret,
                        struct buffer *problems, struct error *err)
{
    struct loader loader = {.file = file, .problems = problems};
    struct yaml_node root = {0};
    struct error why = {0};
    struct config *config = NULL;
    enum status status = yaml_tree_parse(text, length, &root, &why);
    if (status == STATUS_USAGE)
        buffer_printf(problems, "%s:%s\n", file, why.message);
    if (status != STATUS_OK)
        return error_set(err, status, "%s:%s", file, why.message);
    status = config_default(&config, err);
    if (status == STATUS_OK) {
        config->is_default = false;
        config->metrics.size_histogram = true;
        load_root(&loader, &root, config);
        status = finish(&loader, config, ret, err);
    }
    yaml_tree_deinit(&root);
    return status;
}

static void free_strings(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static void free_patterns(struct pattern_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        pattern_free(list->items[i]);
    free(list->items);
}

static void free_matchers(struct matchers *match)
{
    free_strings(&match->comm);
    free_strings(&match->exe);
    free_strings(&match->exe_path);
    free_strings(&match->user);
    free_strings(&match->unit);
    free_patterns(&match->cmdline);
    free_patterns(&match->cgroup);
    free(match->pids);
    free(match->pid_file);
}

void config_free(struct config *config)
{
    for (size_t i = 0; config && i < config->entries_count; i++) {
        struct entry *entry = &config->entries[i];
        name_template_free(entry->name);
        free_matchers(&entry->match);
        free_matchers(&entry->exclude);
        for (size_t j = 0; j < entry->labels_count; j++) {
            free(entry->labels[j].name);
            free(entry->labels[j].value);
        }
        free(entry->labels);
    }
    if (config)
        free(config->entries);
    free(config);
}
