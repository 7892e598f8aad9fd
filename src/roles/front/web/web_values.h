/* web_values.h - how values of the web configuration are read; for web_config.c alone. */
#ifndef ROLES_FRONT_WEB_WEB_VALUES_H
#define ROLES_FRONT_WEB_WEB_VALUES_H

#include "config/yaml_tree.h"
#include "roles/front/web/web_config.h"

/** One run over a file: where values go, and where what is wrong. */
struct web_reader {
    const char *file;
    struct web_config *config;
    struct problems *problems;
};

/** A key of a section, and what takes its value. */
struct web_key {
    const char *name;
    void (*set)(struct web_reader *reader, const struct yaml_node *value);
};

/** A problem at the place of @node. */
#define web_problem(reader, node, ...) \
    problems_add((reader)->problems, (node)->line, (node)->column, __VA_ARGS__)

/** Read a section by @keys, which end with a NULL name; unknown ones are problems. Nothing is an empty one.
 */
void web_read_keys(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   const struct web_key *keys);
/** Whether it is a map; else a problem. */
bool web_is_map(struct web_reader *reader, const struct yaml_node *node, const char *what);
/** A single value; nothing and "" leave ret->text NULL. */
void web_read_text(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   struct web_text *ret);
/** The same, as a path behind the directory of the file. */
void web_read_path(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   struct web_text *ret);
void web_read_list(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   struct web_text_list *ret);
/** true and false, and YAML 1.1's yes, no, on, off, without quotes. Nothing leaves *@ret. */
void web_read_bool(struct web_reader *reader, const struct yaml_node *node, const char *what, bool *ret);

/** Index of @text in @names, or -1. */
int web_find_name(const char *const *names, size_t count, const char *text);

/** Free it, wiped: it may be a key. */
void web_text_deinit(struct web_text *text);
#define scoped_web_text scoped(web_text_deinit)

#endif
