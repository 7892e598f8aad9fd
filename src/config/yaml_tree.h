/*
 * yaml_tree.h - a YAML text as a tree in which each node knows its place; the only user of libyaml.
 *
 * Depth, nodes and documents are bounded; anchors and aliases are refused, since a few bytes of them can mean
 * gigabytes.
 */
#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/** A node. A map's children are key, value, key, value …; each key is a scalar. Lines and columns count
 * from 1. */
struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column;
    bool is_plain; /* a scalar without quotes: null, numbers and booleans are such */
    char *text;    /* of a scalar; NUL-terminated */
    struct yaml_node *children;
    size_t count, capacity;
};

/** Parse @length bytes. A text without a document is an empty map. STATUS_USAGE: @err has "LINE:COLUMN: why".
 */
enum status yaml_tree_parse(const char *text, size_t length, struct yaml_node *ret,
                            struct error *err) must_check;

void yaml_tree_deinit(struct yaml_node *node);

#endif
