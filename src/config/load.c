/* load.c - YAML to struct config: the file as a whole and its settings. */
#include "config/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/settings.h"

static const char *const SECTIONS[] = {"scan", "limits", "discovery", "metrics", "api"};
#define SECTIONS_COUNT (sizeof SECTIONS / sizeof *SECTIONS)

static void loader_deinit(struct loader *loader)
{
    problems_deinit(&loader->problems);
}

static void free_config(struct config **config)
{
    config_free(*config);
}

unsigned load_column(const struct yaml_node *node, size_t offset)
{
    return node->text_column ? node->text_column + (unsigned)offset : node->column;
}

char *load_copy(struct loader *loader, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        loader->problems.no_memory = true;
    return copy;
}

bool load_is(struct loader *loader, const struct yaml_node *node, enum node_kind kind, const char *what)
{
    static const char *const NAMES[] = {"a single value", "a list, as [a, b]", "a map of keys and values"};
    if (node->kind == kind && !yaml_node_is_null(node))
        return true;
    load_problem(loader, node, "%s must be %s, not %s", what, NAMES[kind], yaml_node_kind_name(node));
    return false;
}

bool load_setting(struct loader *loader, const char *section, const struct yaml_node *key,
                  const struct yaml_node *value, void *base)
{
    scoped_buffer struct buffer why = {0};
    const struct setting *setting = setting_find(section, key->text);
    if (!setting)
        return false;
    bool is_entry = strcmp(section, "entry") == 0;
    const char *prefix = is_entry ? "" : section, *point = is_entry ? "" : ".";
    if (value->kind != NODE_TEXT || yaml_node_is_null(value)) {
        setting_allowed(setting, &why);
        load_problem(loader, value, "%s%s%s must be %s, not %s", prefix, point, key->text,
                     buffer_string(&why), yaml_node_kind_name(value));
    } else if (!setting_set(setting, base, value->text, &why)) {
        load_problem(loader, value, "%s%s%s: \"%s\": %s", prefix, point, key->text,
                     problems_show(value->text, value->length).text, buffer_string(&why));
    }
    return true;
}

void load_section(struct loader *loader, const char *section, const char *what, const struct yaml_node *node,
                  void *base)
{
    if (yaml_node_is_null(node) || !load_is(loader, node, NODE_MAP, what))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct yaml_node *key = node->children[i];
        if (load_setting(loader, section, key, node->children[i + 1], base))
            continue;
        scoped_buffer struct buffer known = {0};
        setting_keys(section, &known);
        load_problem(loader, key, "unknown key \"%s\" in %s; there are %s",
                     problems_show(key->text, key->length).text, what, buffer_string(&known));
    }
}

static const struct yaml_node *find_key(const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; i + 1 < map->count; i += 2)
        if (strcmp(map->children[i]->text, name) == 0)
            return map->children[i + 1];
    return NULL;
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < SECTIONS_COUNT; i++)
        if (strcmp(SECTIONS[i], name) == 0)
            return true;
    return false;
}

static void check_root_keys(struct loader *loader, const struct yaml_node *root)
{
    for (size_t i = 0; i + 1 < root->count; i += 2) {
        const struct yaml_node *key = root->children[i];
        if (!is_section(key->text) && strcmp(key->text, "process_names") != 0)
            load_problem(
                loader, key,
                "unknown key \"%s\"; there are scan, limits, discovery, metrics, api and process_names",
                problems_show(key->text, key->length).text);
    }
}

static void load_root(struct loader *loader, const struct yaml_node *root, struct config *config)
{
    if (!root || yaml_node_is_null(root) || !load_is(loader, root, NODE_MAP, "the file"))
        return;
    check_root_keys(loader, root);
    /* before the entries, which begin with the settings of scan */
    for (size_t i = 0; i < SECTIONS_COUNT; i++) {
        const struct yaml_node *section = find_key(root, SECTIONS[i]);
        if (section)
            load_section(loader, SECTIONS[i], SECTIONS[i], section,
                         strcmp(SECTIONS[i], "scan") == 0 ? (void *)&config->scan : config);
    }
    const struct yaml_node *entries = find_key(root, "process_names");
    if (entries)
        load_entries(loader, entries, config);
}

static enum status new_config(struct config **ret, struct error *err)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
    for (size_t i = 0; i < SECTIONS_COUNT; i++)
        setting_defaults(SECTIONS[i], strcmp(SECTIONS[i], "scan") == 0 ? (void *)&config->scan : config);
    *ret = config;
    return STATUS_OK;
}

enum status config_default(struct config **ret, struct error *err)
{
    struct config *config;
    enum status status = new_config(&config, err);
    if (status != STATUS_OK)
        return status;
    config->is_default = true;
    config->metrics.size_histogram = false;
    *ret = config;
    return STATUS_OK;
}

enum status config_load(const char *file, const char *text, size_t length, struct config **ret,
                        struct buffer *problems, struct error *err)
{
    scoped(loader_deinit) struct loader loader = {.problems.file = file};
    scoped_yaml_tree struct yaml_tree tree = {0};
    scoped(free_config) struct config *config = NULL;
    enum status status = new_config(&config, err);
    if (status != STATUS_OK)
        return status;
    status = yaml_tree_parse(text, length, &tree, &loader.problems, err);
    if (status != STATUS_OK && status != STATUS_USAGE)
        return status;
    if (status == STATUS_OK)
        load_root(&loader, tree.root, config);
    if (loader.problems.no_memory)
        return error_set(err, STATUS_NO_MEMORY, "%s: no memory for the configuration", file);
    if (loader.problems.found > 0) {
        problems_write(&loader.problems, problems);
        return error_set(err, STATUS_USAGE, "%s: %zu problem%s", file, loader.problems.found,
                         loader.problems.found == 1 ? "" : "s");
    }
    *ret = take_ptr(config);
    return STATUS_OK;
}
