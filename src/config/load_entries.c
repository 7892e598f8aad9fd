/* load_entries.c - the entries of process_names. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/load.h"
#include "config/name_template.h"
#include "config/pattern.h"
#include "config/values.h"

/* Labels that series have of themselves. */
static const char *const RESERVED[] = {
    "groupname",    "pid",      "arena", "state",        "use",     "le",  "check",
    "reason",       "result",   "mode",  "why",          "comm",    "exe", "allocator",
    "libc_version", "found_by", "unit",  "container_id", "pod_uid", "job", "instance",
};

static char *copy(struct loader *loader, const char *text)
{
    char *copied = strdup(text);
    loader->has_no_memory |= copied == NULL;
    return copied;
}

/* One more place of @size bytes behind @count in @array; NULL without memory. */
static void *grow(struct loader *loader, void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    loader->has_no_memory |= grown == NULL;
    return grown;
}

static void add_string(struct loader *loader, const struct yaml_node *node, void *field)
{
    struct string_list *list = field;
    char **items = grow(loader, list->items, list->count, sizeof *items);
    if (!items)
        return;
    list->items = items;
    items[list->count] = copy(loader, node->text);
    list->count += items[list->count] != NULL;
}

static void add_pattern(struct loader *loader, const struct yaml_node *node, void *field)
{
    struct pattern_list *list = field;
    struct error err = {0};
    struct pattern *pattern;
    struct pattern **items = grow(loader, list->items, list->count, sizeof *items);
    if (!items)
        return;
    list->items = items;
    if (pattern_new(node->text, &pattern, &err) != STATUS_OK)
        load_problem(loader, node, "%s", err.message);
    else
        items[list->count++] = pattern;
}

static void add_pid(struct loader *loader, const struct yaml_node *node, void *field)
{
    struct matchers *match = field;
    uint64_t pid;
    int32_t *pids = grow(loader, match->pids, match->pids_count, sizeof *pids);
    if (!pids)
        return;
    match->pids = pids;
    if (!value_count(node->text, &pid) || pid == 0 || pid > INT32_MAX)
        load_problem(loader, node, "pid: \"%.40s\" is no process number", node->text);
    else
        pids[match->pids_count++] = (int32_t)pid;
}

static void set_pid_file(struct loader *loader, const struct yaml_node *node, void *field)
{
    struct matchers *match = field;
    free(match->pid_file);
    match->pid_file = copy(loader, node->text);
}

static const struct {
    const char *key;
    size_t offset;
    void (*add)(struct loader *loader, const struct yaml_node *node, void *field);
    bool is_single;
} MATCHERS[] = {
    {"comm", offsetof(struct matchers, comm), add_string, false},
    {"exe", offsetof(struct matchers, exe), add_string, false},
    {"exe_path", offsetof(struct matchers, exe_path), add_string, false},
    {"cmdline", offsetof(struct matchers, cmdline), add_pattern, false},
    {"user", offsetof(struct matchers, user), add_string, false},
    {"unit", offsetof(struct matchers, unit), add_string, false},
    {"cgroup", offsetof(struct matchers, cgroup), add_pattern, false},
    {"pid", 0, add_pid, false},
    {"pid_file", 0, set_pid_file, true},
};
#define MATCHER_COUNT (sizeof MATCHERS / sizeof *MATCHERS)

/* False: @key is no matcher. */
static bool load_matcher(struct loader *loader, const char *key, const struct yaml_node *value,
                         struct matchers *match)
{
    size_t row = 0;
    while (row < MATCHER_COUNT && strcmp(MATCHERS[row].key, key) != 0)
        row++;
    if (row == MATCHER_COUNT)
        return false;
    void *field = (char *)match + MATCHERS[row].offset;
    if (MATCHERS[row].is_single || value->kind == YAML_SCALAR) {
        if (load_is(loader, value, YAML_SCALAR, key))
            MATCHERS[row].add(loader, value, field);
        return true;
    }
    if (!load_is(loader, value, YAML_LIST, key))
        return true;
    if (value->count == 0)
        load_problem(loader, value, "%s is empty: leave it out, or name something", key);
    for (size_t i = 0; i < value->count; i++)
        if (load_is(loader, &value->children[i], YAML_SCALAR, key))
            MATCHERS[row].add(loader, &value->children[i], field);
    return true;
}

static bool has_matcher(const struct matchers *match)
{
    return match->comm.count || match->exe.count || match->exe_path.count || match->cmdline.count ||
           match->user.count || match->unit.count || match->cgroup.count || match->pids_count ||
           match->pid_file;
}

static bool is_label_name(const char *name)
{
    bool is_sound = isalpha((unsigned char)*name) || *name == '_';
    for (const char *c = name; *c; c++)
        is_sound &= isalnum((unsigned char)*c) || *c == '_';
    return is_sound;
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (strcmp(RESERVED[i], name) == 0)
            return true;
    return strncmp(name, "__", 2) == 0;
}

static void load_labels(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (!load_is(loader, node, YAML_MAP, "labels"))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct yaml_node *key = &node->children[i], *value = &node->children[i + 1];
        if (!is_label_name(key->text) || is_reserved(key->text)) {
            load_problem(loader, key, "labels: \"%.60s\" is %s", key->text,
                         is_label_name(key->text) ? "a label that series have already" : "no label name");
            continue;
        }
        struct label *labels = load_is(loader, value, YAML_SCALAR, "the value of a label")
                                   ? grow(loader, entry->labels, entry->labels_count, sizeof *labels)
                                   : NULL;
        if (!labels)
            continue;
        entry->labels = labels;
        labels[entry->labels_count++] = (struct label){copy(loader, key->text), copy(loader, value->text)};
    }
}

static void load_exclude(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (!load_is(loader, node, YAML_MAP, "exclude"))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2)
        if (!load_matcher(loader, node->children[i].text, &node->children[i + 1], &entry->exclude))
            load_problem(loader, &node->children[i], "unknown key %.60s in exclude", node->children[i].text);
}

static void load_name(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    struct error err = {0};
    if (load_is(loader, node, YAML_SCALAR, "name") &&
        name_template_new(node->text, &entry->name, &err) != STATUS_OK)
        load_problem(loader, node, "name: %s", err.message);
}

static void load_min_uptime(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (load_is(loader, node, YAML_SCALAR, "min_uptime") &&
        !value_duration(node->text, &entry->min_uptime_ns))
        load_problem(loader, node, "min_uptime: must be a duration as 60s; it is \"%.60s\"", node->text);
}

static void load_children(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (load_is(loader, node, YAML_SCALAR, "children") && !value_bool(node->text, &entry->children))
        load_problem(loader, node, "children: must be true or false; it is \"%.60s\"", node->text);
}

static void load_identify_by(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (!load_is(loader, node, YAML_SCALAR, "identify_by"))
        return;
    if (strcmp(node->text, "none") == 0)
        entry->identify_by = IDENTIFY_NONE;
    else if (strcmp(node->text, "pid") != 0)
        load_problem(loader, node, "identify_by: must be pid or none; it is \"%.60s\"", node->text);
}

static void load_scan(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    load_settings(loader, node, "scan", &entry->scan);
}

static const struct {
    const char *key;
    void (*load)(struct loader *loader, const struct yaml_node *node, struct entry *entry);
} KEYS[] = {
    {"name", load_name},         {"exclude", load_exclude}, {"min_uptime", load_min_uptime},
    {"children", load_children}, {"labels", load_labels},   {"identify_by", load_identify_by},
    {"scan", load_scan},
};
#define KEY_COUNT (sizeof KEYS / sizeof *KEYS)

static void load_key(struct loader *loader, const struct yaml_node *key, const struct yaml_node *value,
                     struct entry *entry)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(KEYS[i].key, key->text) == 0) {
            KEYS[i].load(loader, value, entry);
            return;
        }
    if (!load_matcher(loader, key->text, value, &entry->match))
        load_problem(
            loader, key,
            "unknown key %.60s in an entry; it knows name, comm, exe, exe_path, cmdline, user, unit, "
            "cgroup, pid, pid_file, exclude, min_uptime, children, labels, identify_by, scan",
            key->text);
}

/* Matches.NAME must be a group of one of the entry's patterns. */
static void check_matches(struct loader *loader, const struct yaml_node *node, const struct entry *entry)
{
    const char *group;
    for (unsigned i = 0; entry->name && (group = name_template_match_name(entry->name, i)) != NULL; i++) {
        bool found = false;
        for (size_t j = 0; j < entry->match.cmdline.count; j++)
            found |= pattern_has_group(entry->match.cmdline.items[j], group);
        if (!found)
            load_problem(loader, node, "name: no cmdline pattern has a group (?P<%.60s>…)", group);
    }
}

static void load_entry(struct loader *loader, const struct yaml_node *node, struct config *config)
{
    if (!load_is(loader, node, YAML_MAP, "an entry of process_names"))
        return;
    struct entry *entries = grow(loader, config->entries, config->entries_count, sizeof *entries);
    if (!entries)
        return;
    config->entries = entries;
    struct entry *entry = &entries[config->entries_count++];
    *entry = (struct entry){.scan = config->scan, .line = node->line};
    unsigned before = loader->count;
    for (size_t i = 0; i + 1 < node->count; i += 2)
        load_key(loader, &node->children[i], &node->children[i + 1], entry);
    if (loader->count == before && !has_matcher(&entry->match))
        load_problem(loader, node,
                     "the entry matches nothing: give comm, exe, exe_path, cmdline, user, unit, "
                     "cgroup, pid or pid_file");
    if (!entry->name && loader->count == before &&
        name_template_new("{{.ExeBase}}", &entry->name, NULL) != STATUS_OK)
        loader->has_no_memory = true;
    if (loader->count == before)
        check_matches(loader, node, entry);
}

static bool has_equal_labels(const struct entry *a, const struct entry *b)
{
    if (a->labels_count != b->labels_count)
        return false;
    for (size_t i = 0; i < a->labels_count; i++)
        if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
            strcmp(a->labels[i].value, b->labels[i].value) != 0)
            return false;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* Entries of one name are one group, which has one set of labels. */
static void check_groups(struct loader *loader, const struct yaml_node *list, const struct config *config)
{
    for (size_t i = 0; i < config->entries_count; i++)
        if (config->entries[i].labels_count)
            qsort(config->entries[i].labels, config->entries[i].labels_count, sizeof(struct label), by_name);
    for (size_t i = 0; i < config->entries_count; i++) {
        const char *name, *other;
        if (!name_template_is_literal(config->entries[i].name, &name))
            continue;
        for (size_t j = 0; j < i; j++)
            if (name_template_is_literal(config->entries[j].name, &other) && strcmp(name, other) == 0 &&
                !has_equal_labels(&config->entries[i], &config->entries[j])) {
                load_problem(loader, &list->children[i],
                             "group %.60s has other labels in the entry at line %u: they must be equal", name,
                             config->entries[j].line);
                break;
            }
    }
}

void load_entries(struct loader *loader, const struct yaml_node *node, struct config *config)
{
    if (!load_is(loader, node, YAML_LIST, "process_names"))
        return;
    for (size_t i = 0; i < node->count; i++)
        load_entry(loader, &node->children[i], config);
    if (loader->count == 0 && !loader->has_no_memory)
        check_groups(loader, node, config);
}
