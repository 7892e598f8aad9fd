/*
 * yaml_tree.h - a YAML text as a tree in which each node knows its place; the only user of libyaml.
 *
 * A tree never costs more than its limits: text, depth, and nodes, where those that an alias repeats count
 * each time, and a long text counts as several. What breaks a limit is a problem with its place, as is all
 * that a configuration has no use for: second documents, tags, merge keys, keys that are no text, keys given
 * twice, NUL bytes.
 */
#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/problems.h"

#define YAML_TREE_BYTES_MAX ((size_t)1 << 20)
#define YAML_TREE_DEPTH_MAX 20
#define YAML_TREE_NODES_MAX 100000
#define YAML_TREE_KEYS_MAX 1000 /* of one map */
#define YAML_TREE_ANCHORS_MAX 100

/** What a node is. */
enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

/**
 * A node. @line and @column are from 1, the column in characters. The children of a map are key, value, key,
 * value, each key a NODE_TEXT. A child that was written as an alias is the anchor's node, with its place.
 */
struct yaml_node {
    enum node_kind kind;
    unsigned line, column;
    unsigned text_column; /* of the first character of @text where that stands as it is in one line; else 0 */
    bool is_plain;        /* text without quotes: what may be null, a number or a boolean */
    char *text;           /* without NUL bytes inside, valid UTF-8 */
    size_t length;
    struct yaml_node **children;
    size_t count;
    size_t capacity;
    size_t weight;   /* nodes in it, with those of aliases each time; 64 bytes of text are one more */
    unsigned height; /* levels in it */
    char *anchor;
    bool is_open; /* its end was not read yet */
};

/** All nodes of a text. @root is NULL for a text without any. */
struct yaml_tree {
    struct yaml_node *root;
    struct yaml_node **nodes;
    size_t count, capacity;
};

/**
 * Parse @length bytes at @text. STATUS_USAGE: it cannot be read further, and @problems says so; a tree with
 * keys given twice is STATUS_OK with problems. *@ret is to be ended by yaml_tree_deinit() in any case.
 */
enum status yaml_tree_parse(const char *text, size_t length, struct yaml_tree *ret, struct problems *problems,
                            struct error *err) must_check;

void yaml_tree_deinit(struct yaml_tree *tree);
#define scoped_yaml_tree scoped(yaml_tree_deinit)

/** Is it nothing: an empty value, ~ or null without quotes? */
bool yaml_node_is_null(const struct yaml_node *node);

/** "a list", "a map", or "text", "nothing". */
const char *yaml_node_kind_name(const struct yaml_node *node);

#endif
