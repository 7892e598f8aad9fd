/* load.h - what the parts of the loader share; inside this folder only. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/problems.h"
#include "config/yaml_tree.h"

/** One run over a file. */
struct loader {
    struct problems problems;
    size_t pattern_bytes; /* of all compiled patterns */
};

/** Note a problem at @node's place. */
#define load_problem(loader, node, ...) \
    problems_add(&(loader)->problems, (node)->line, (node)->column, __VA_ARGS__)

/** The column of byte @offset of @node's text, where that is known; else that of @node. */
unsigned load_column(const struct yaml_node *node, size_t offset);

/** Whether @node is of @kind and not null; else a problem that names @what. */
bool load_is(struct loader *loader, const struct yaml_node *node, enum node_kind kind, const char *what);

/** Whether @key is a setting of @section; then @value is put into @base, or is a problem. */
bool load_setting(struct loader *loader, const char *section, const struct yaml_node *key,
                  const struct yaml_node *value, void *base);

/** The map @node of settings of @section into @base; null is an empty map. @what: its name for messages. */
void load_section(struct loader *loader, const char *section, const char *what, const struct yaml_node *node,
                  void *base);

/** strdup(), and a problem of memory. */
char *load_copy(struct loader *loader, const char *text);

/* load_entries.c */

/** The list process_names into @config's entries, which begin with its scan settings. */
void load_entries(struct loader *loader, const struct yaml_node *node, struct config *config);

/* load_matchers.c */

/** Whether @key is a kind of matcher; then @value is put into @match, or is a problem. @what: "exclude." or
 * "". */
bool load_matcher(struct loader *loader, const char *what, const struct yaml_node *key,
                  const struct yaml_node *value, struct matchers *match);

/** The map of matchers below exclude. */
void load_exclude(struct loader *loader, const struct yaml_node *node, struct matchers *exclude);

/** Append the kinds of matcher: "comm, exe, …". */
void load_matcher_keys(struct buffer *ret);

/** Whether any matcher is given. */
bool load_has_matcher(const struct matchers *match);

/** Free what load_matcher() made. */
void load_matchers_deinit(struct matchers *match);

/* load_labels.c */

/** The constant labels of @entry, sorted by name. */
void load_labels(struct loader *loader, const struct yaml_node *node, struct entry *entry);

/** Whether two entries have the same labels. */
bool load_labels_are_equal(const struct entry *a, const struct entry *b);

/** Free what load_labels() made. */
void load_labels_deinit(struct entry *entry);

#endif
