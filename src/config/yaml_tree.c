/* yaml_tree.c - see yaml_tree.h. */
#include "config/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/array.h"
#include "base/cleanup.h"

struct builder {
    struct yaml_tree *tree;
    struct problems *problems;
    struct yaml_node *stack[YAML_TREE_DEPTH_MAX];
    unsigned depth;
    struct yaml_node *anchors[YAML_TREE_ANCHORS_MAX];
    size_t anchors_count;
    size_t nodes; /* with those of aliases each time */
    bool has_document;
};

static bool refuse(struct builder *builder, const yaml_mark_t *mark, const char *why)
{
    problems_add(builder->problems, (unsigned)mark->line + 1, (unsigned)mark->column + 1, "%s", why);
    return false;
}

static bool no_memory(struct builder *builder)
{
    builder->problems->no_memory = true;
    return false;
}

static bool remember_anchor(struct builder *builder, struct yaml_node *node, const char *anchor,
                            const yaml_mark_t *mark)
{
    if (!anchor)
        return true;
    if (builder->anchors_count == YAML_TREE_ANCHORS_MAX)
        return refuse(builder, mark, "too many anchors: at most 100 are allowed");
    node->anchor = strdup(anchor);
    if (!node->anchor)
        return no_memory(builder);
    builder->anchors[builder->anchors_count++] = node;
    return true;
}

static struct yaml_node *new_node(struct builder *builder, enum node_kind kind, const yaml_event_t *event)
{
    struct yaml_tree *tree = builder->tree;
    if (!array_room(&tree->nodes, tree->count, &tree->capacity))
        return NULL;
    struct yaml_node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->kind = kind;
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    node->weight = 1;
    tree->nodes[tree->count++] = node;
    return node;
}

static bool check_key(struct builder *builder, struct yaml_node *map, const struct yaml_node *key,
                      const yaml_mark_t *mark)
{
    if (key->kind != NODE_TEXT)
        return refuse(builder, mark, "a key must be text");
    if (key->is_plain && strcmp(key->text, "<<") == 0)
        return refuse(builder, mark, "merge keys (<<) are not supported; write the settings out");
    if (map->count / 2 == YAML_TREE_KEYS_MAX)
        return refuse(builder, mark, "too many keys: at most 1000 are allowed in a map");
    for (size_t i = 0; i < map->count; i += 2)
        if (strcmp(map->children[i]->text, key->text) == 0) {
            problems_add(builder->problems, (unsigned)mark->line + 1, (unsigned)mark->column + 1,
                         "the key \"%s\" is given twice; the first is in line %u",
                         problems_show(key->text, key->length).text, map->children[i]->line);
            break;
        }
    return true;
}

/* Put @node below the node that is open. */
static bool attach(struct builder *builder, struct yaml_node *node, const yaml_mark_t *mark)
{
    builder->nodes += node->weight;
    if (builder->nodes > YAML_TREE_NODES_MAX)
        return refuse(builder, mark, "too many values: at most 100000 are allowed, repeated ones included");
    if (builder->depth == 0) {
        builder->tree->root = node;
        return true;
    }
    if (builder->depth + node->height >= YAML_TREE_DEPTH_MAX)
        return refuse(builder, mark, "nested too deeply: at most 20 levels are allowed");
    struct yaml_node *parent = builder->stack[builder->depth - 1];
    if (parent->kind == NODE_MAP && parent->count % 2 == 0 && !check_key(builder, parent, node, mark))
        return false;
    if (!array_room(&parent->children, parent->count, &parent->capacity))
        return no_memory(builder);
    parent->children[parent->count++] = node;
    return true;
}

static bool check_tag(struct builder *builder, const yaml_char_t *tag, const yaml_mark_t *mark)
{
    static const char *const KNOWN[] = {YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG};
    for (size_t i = 0; tag && i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp((const char *)tag, KNOWN[i]) == 0)
            return true;
    return !tag || refuse(builder, mark, "tags are not supported, but for !!str, !!seq and !!map");
}

static bool on_text(struct builder *builder, const yaml_event_t *event)
{
    const yaml_mark_t *start = &event->start_mark, *end = &event->end_mark;
    size_t length = event->data.scalar.length;
    if (memchr(event->data.scalar.value, '\0', length))
        return refuse(builder, start, "a NUL byte is not allowed");
    if (!check_tag(builder, event->data.scalar.tag, start))
        return false;
    struct yaml_node *node = new_node(builder, NODE_TEXT, event);
    if (!node)
        return no_memory(builder);
    node->text = strndup((const char *)event->data.scalar.value, length);
    if (!node->text)
        return no_memory(builder);
    node->length = length;
    node->weight += length / 64;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
    /* as many characters in the file as in the text: nothing in it is escaped or folded */
    size_t quote = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
    if (start->line == end->line && end->index - start->index == length + 2 * quote)
        node->text_column = node->column + (unsigned)quote;
    return remember_anchor(builder, node, (const char *)event->data.scalar.anchor, start) &&
           attach(builder, node, start);
}

static bool on_open(struct builder *builder, enum node_kind kind, const yaml_event_t *event,
                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    const yaml_mark_t *mark = &event->start_mark;
    if (!check_tag(builder, tag, mark))
        return false;
    struct yaml_node *node = new_node(builder, kind, event);
    if (!node)
        return no_memory(builder);
    node->is_open = true;
    if (!remember_anchor(builder, node, (const char *)anchor, mark) || !attach(builder, node, mark))
        return false;
    builder->stack[builder->depth++] = node;
    return true;
}

static bool on_close(struct builder *builder)
{
    struct yaml_node *node = builder->stack[--builder->depth];
    node->is_open = false;
    for (size_t i = 0; i < node->count; i++) {
        node->weight += node->children[i]->weight;
        if (node->children[i]->height >= node->height)
            node->height = node->children[i]->height + 1;
    }
    return true;
}

static bool on_alias(struct builder *builder, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct yaml_node *node = NULL;
    for (size_t i = builder->anchors_count; i > 0 && !node; i--)
        if (strcmp(builder->anchors[i - 1]->anchor, name) == 0)
            node = builder->anchors[i - 1]; /* the last of that name above it */
    if (!node)
        return refuse(builder, &event->start_mark, "an alias of an anchor that is not above it");
    if (node->is_open)
        return refuse(builder, &event->start_mark, "an alias of what it is itself part of");
    return attach(builder, node, &event->start_mark);
}

static bool on_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->has_document)
            return refuse(builder, &event->start_mark, "only one document is allowed");
        builder->has_document = true;
        return true;
    case YAML_SCALAR_EVENT:
        return on_text(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(builder, NODE_LIST, event, event->data.sequence_start.anchor,
                       event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_open(builder, NODE_MAP, event, event->data.mapping_start.anchor,
                       event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(builder);
    case YAML_ALIAS_EVENT:
        return on_alias(builder, event);
    default:
        return true;
    }
}

/* The reader of libyaml knows only the offset of a byte that it refuses. */
static void refuse_byte(struct problems *problems, const char *text, size_t offset, const char *why)
{
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    problems_add(problems, line, column, "not YAML: %s; the file must be UTF-8 text", why);
}

static void refuse_syntax(struct problems *problems, const yaml_parser_t *parser, const char *text,
                          size_t length)
{
    const char *why = parser->problem ? parser->problem : "it cannot be read";
    if (parser->error == YAML_MEMORY_ERROR)
        problems->no_memory = true;
    else if (parser->error == YAML_READER_ERROR)
        refuse_byte(problems, text, parser->problem_offset < length ? parser->problem_offset : length, why);
    else
        problems_add(problems, (unsigned)parser->problem_mark.line + 1,
                     (unsigned)parser->problem_mark.column + 1, "not YAML: %s%s%s", why,
                     parser->context ? " " : "", parser->context ? parser->context : "");
}

enum status yaml_tree_parse(const char *text, size_t length, struct yaml_tree *ret, struct problems *problems,
                            struct error *err)
{
    *ret = (struct yaml_tree){0};
    if (length > YAML_TREE_BYTES_MAX) {
        problems_add(problems, 1, 1, "the file has %zu bytes; at most 1 MiB is allowed", length);
        return error_set(err, STATUS_USAGE, "the configuration is too large");
    }
    scoped(yaml_parser_delete) yaml_parser_t parser;
    struct builder builder = {.tree = ret, .problems = problems};
    if (!yaml_parser_initialize(&parser))
        return error_set(err, STATUS_NO_MEMORY, "no memory to read the configuration");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool is_read = true, is_end = false;
    while (is_read && !is_end) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            refuse_syntax(problems, &parser, text, length);
            is_read = false;
            break;
        }
        is_end = event.type == YAML_STREAM_END_EVENT;
        is_read = on_event(&builder, &event);
        yaml_event_delete(&event);
    }
    if (problems->no_memory)
        return error_set(err, STATUS_NO_MEMORY, "no memory to read the configuration");
    return is_read ? STATUS_OK
                   : error_set(err, STATUS_USAGE, "the configuration is no YAML that can be used");
}

void yaml_tree_deinit(struct yaml_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->nodes[i]->text);
        free(tree->nodes[i]->anchor);
        free(tree->nodes[i]->children);
        free(tree->nodes[i]);
    }
    free(tree->nodes);
    *tree = (struct yaml_tree){0};
}

bool yaml_node_is_null(const struct yaml_node *node)
{
    static const char *const NULLS[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; node->kind == NODE_TEXT && node->is_plain && i < sizeof NULLS / sizeof *NULLS; i++)
        if (strcmp(node->text, NULLS[i]) == 0)
            return true;
    return false;
}

const char *yaml_node_kind_name(const struct yaml_node *node)
{
    if (node->kind == NODE_TEXT)
        return yaml_node_is_null(node) ? "nothing" : "text";
    return node->kind == NODE_LIST ? "a list" : "a map";
}
