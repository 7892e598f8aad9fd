/* load_labels.c - the constant labels of an entry. */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"

#define LABELS_MAX 30

/* Labels that series have of their own, or that Prometheus sets. */
static const char *const RESERVED[] = {
    "groupname",    "pid",      "arena", "state",        "use",     "le",  "check",
    "reason",       "result",   "mode",  "why",          "comm",    "exe", "allocator",
    "libc_version", "found_by", "unit",  "container_id", "pod_uid", "job", "instance",
};

static bool is_label_name(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    return *name && !(*name >= '0' && *name <= '9') && name[strspn(name, LETTERS)] == '\0';
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (strcmp(RESERVED[i], name) == 0)
            return true;
    return strncmp(name, "__", 2) == 0;
}

static bool check_name(struct loader *loader, const struct yaml_node *key)
{
    if (!is_label_name(key->text)) {
        load_problem(
            loader, key,
            "labels: \"%s\" is no name of a label; letters, digits and _ are allowed, no digit first",
            problems_show(key->text, key->length).text);
        return false;
    }
    if (is_reserved(key->text)) {
        load_problem(loader, key,
                     "labels: \"%s\" is reserved, as are names that begin with __; choose another",
                     problems_show(key->text, key->length).text);
        return false;
    }
    return true;
}

static void add(struct loader *loader, const struct yaml_node *key, const struct yaml_node *value,
                struct entry *entry)
{
    struct label label = {load_copy(loader, key->text), load_copy(loader, value->text)};
    if (!label.name || !label.value) {
        free(label.name);
        free(label.value);
        return;
    }
    entry->labels[entry->labels_count++] = label;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

void load_labels(struct loader *loader, const struct yaml_node *node, struct entry *entry)
{
    if (entry->labels || yaml_node_is_null(node) || !load_is(loader, node, NODE_MAP, "labels") ||
        node->count == 0)
        return;
    if (node->count / 2 > LABELS_MAX) {
        load_problem(loader, node, "labels: %zu are too many; at most %d are allowed", node->count / 2,
                     LABELS_MAX);
        return;
    }
    entry->labels = calloc(node->count / 2, sizeof *entry->labels);
    if (!entry->labels) {
        loader->problems.no_memory = true;
        return;
    }
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct yaml_node *key = node->children[i], *value = node->children[i + 1];
        bool is_named = check_name(loader, key);
        if (load_is(loader, value, NODE_TEXT, "the value of a label") && is_named)
            add(loader, key, value, entry);
    }
    if (entry->labels_count > 0)
        qsort(entry->labels, entry->labels_count, sizeof *entry->labels, by_name);
}

bool load_labels_are_equal(const struct entry *a, const struct entry *b)
{
    if (a->labels_count != b->labels_count)
        return false;
    for (size_t i = 0; i < a->labels_count; i++)
        if (strcmp(a->labels[i].name, b->labels[i].name) != 0 ||
            strcmp(a->labels[i].value, b->labels[i].value) != 0)
            return false;
    return true;
}

void load_labels_deinit(struct entry *entry)
{
    for (size_t i = 0; i < entry->labels_count; i++) {
        free(entry->labels[i].name);
        free(entry->labels[i].value);
    }
    free(entry->labels);
}
