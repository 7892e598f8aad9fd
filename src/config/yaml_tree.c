/* yaml_tree.c - see yaml_tree.h. */
#include "config/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 20
#define NODES_MAX 100000

struct builder {
    yaml_parser_t parser;
    struct yaml_node *stack[DEPTH_MAX];
    unsigned depth;
    size_t nodes;
    struct yaml_node *root;
    bool has_root;
};

static enum status refuse(const yaml_mark_t *mark, const char *why, struct error *err)
{
    return error_set(err, STATUS_USAGE, "%zu:%zu: %s", mark->line + 1, mark->column + 1, why);
}

static struct yaml_node *add_child(struct yaml_node *parent)
{
    if (parent->count == parent->capacity) {
        size_t capacity = parent->capacity ? parent->capacity * 2 : 8;
        struct yaml_node *children = realloc(parent->children, capacity * sizeof *children);
        if (!children)
            return NULL;
        parent->children = children;
        parent->capacity = capacity;
    }
    memset(&parent->children[parent->count], 0, sizeof *parent->children);
    return &parent->children[parent->count++];
}

/* The place for the node that begins: the root, or the next child of the innermost open one. */
static enum status take_place(struct builder *builder, const yaml_mark_t *mark, struct yaml_node **ret,
                              struct error *err)
{
    if (++builder->nodes > NODES_MAX)
        return refuse(mark, "the file has too many values", err);
    if (builder->depth == 0 && builder->has_root)
        return refuse(mark, "there must be one document only", err);
    builder->has_root = true;
    struct yaml_node *node =
        builder->depth == 0 ? builder->root : add_child(builder->stack[builder->depth - 1]);
    if (!node)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
    node->line = (unsigned)mark->line + 1;
    node->column = (unsigned)mark->column + 1;
    *ret = node;
    return STATUS_OK;
}

static bool is_key_next(const struct builder *builder)
{
    const struct yaml_node *parent = builder->depth ? builder->stack[builder->depth - 1] : NULL;
    return parent && parent->kind == YAML_MAP && parent->count % 2 == 0;
}

static enum status open_node(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind,
                             struct error *err)
{
    struct yaml_node *node;
    if (builder->depth == DEPTH_MAX)
        return refuse(&event->start_mark, "values are nested too deeply", err);
    if (is_key_next(builder))
        return refuse(&event->start_mark, "a key must be a word, not a list or a map", err);
    enum status status = take_place(builder, &event->start_mark, &node, err);
    if (status != STATUS_OK)
        return status;
    node->kind = kind;
    /* children move when their parent grows; an open node is always its parent's last */
    builder->stack[builder->depth++] = node;
    return STATUS_OK;
}

static enum status put_scalar(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    struct yaml_node *node;
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    bool is_key = is_key_next(builder);
    if (memchr(value, '\0', length))
        return refuse(&event->start_mark, "a value must not hold a NUL byte", err);
    const struct yaml_node *parent = builder->depth ? builder->stack[builder->depth - 1] : NULL;
    for (size_t i = 0; is_key && i < parent->count; i += 2)
        if (strcmp(parent->children[i].text, value) == 0)
            return refuse(&event->start_mark, "this key is there twice", err);
    enum status status = take_place(builder, &event->start_mark, &node, err);
    if (status != STATUS_OK)
        return status;
    node->kind = YAML_SCALAR;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = strndup(value, length);
    return node->text ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
}

static bool has_anchor(const yaml_event_t *event)
{
    return event->type == YAML_ALIAS_EVENT ||
           (event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor) ||
           (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.anchor) ||
           (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.anchor);
}

static enum status take_event(struct builder *builder, const yaml_event_t *event, struct error *err)
{
    if (has_anchor(event))
        return refuse(&event->start_mark, "anchors and aliases are not allowed: write the value out", err);
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return put_scalar(builder, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(builder, event, YAML_LIST, err);
    case YAML_MAPPING_START_EVENT:
        return open_node(builder, event, YAML_MAP, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->depth--;
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}

static enum status parse_error(const yaml_parser_t *parser, struct error *err)
{
    const yaml_mark_t *mark = &parser->problem_mark;
    return error_set(err, STATUS_USAGE, "%zu:%zu: not YAML: %s", mark->line + 1, mark->column + 1,
                     parser->problem ? parser->problem : "cannot be read");
}

static enum status build(struct builder *builder, struct error *err)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&builder->parser, &event))
            return parse_error(&builder->parser, err);
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        enum status status = take_event(builder, &event, err);
        yaml_event_delete(&event);
        if (status != STATUS_OK || is_end)
            return status;
    }
}

enum status yaml_tree_parse(const char *text, size_t length, struct yaml_node *ret, struct error *err)
{
    struct yaml_node root = {.kind = YAML_MAP, .line = 1, .column = 1};
    struct builder builder = {.root = &root};
    if (!yaml_parser_initialize(&builder.parser))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the configuration");
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, length);
    enum status status = build(&builder, err);
    yaml_parser_delete(&builder.parser);
    if (status != STATUS_OK) {
        yaml_tree_deinit(&root);
        return status;
    }
    *ret = root;
    return STATUS_OK;
}

void yaml_tree_deinit(struct yaml_node *node)
{
    /* depth is at most DEPTH_MAX */
    for (size_t i = 0; i < node->count; i++)
        yaml_tree_deinit(&node->children[i]);
    free(node->children);
    free(node->text);
    *node = (struct yaml_node){0};
}
