/* load.h - how the parts of the loader report what is wrong; inside this folder only. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/yaml_tree.h"

#define PROBLEMS_MAX 100

/** One run over a file. */
struct loader {
    const char *file;
    struct buffer *problems;
    unsigned count;
    bool has_no_memory;
};

/** Append "FILE:LINE:COLUMN: why"; after PROBLEMS_MAX only their number is told. */
void load_problem(struct loader *loader, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Whether @node is a map (a list, a scalar); else a problem that names @what. An empty value is none. */
bool load_is(struct loader *loader, const struct yaml_node *node, enum yaml_kind kind, const char *what);

/** The settings of a section's map @node into @base; @prefix is for messages. */
void load_settings(struct loader *loader, const struct yaml_node *node, const char *section, void *base);

/** The list process_names into config->entries. */
void load_entries(struct loader *loader, const struct yaml_node *node, struct config *config);

#endif
