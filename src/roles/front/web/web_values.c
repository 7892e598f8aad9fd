/* web_values.c - see web_values.h. */
#include "roles/front/web/web_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

void web_text_deinit(struct web_text *text)
{
    if (text->text)
        explicit_bzero(text->text, strlen(text->text));
    free(text->text);
    *text = (struct web_text){0};
}

bool web_is_map(struct web_reader *reader, const struct yaml_node *node, const char *what)
{
    if (node->kind == NODE_MAP)
        return true;
    web_problem(reader, node, "%s must be a map of keys and values, not %s", what, yaml_node_kind_name(node));
    return false;
}

void web_read_keys(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   const struct web_key *keys)
{
    if (yaml_node_is_null(node) || !web_is_map(reader, node, what))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct yaml_node *name = node->children[i];
        const struct web_key *key = keys;
        while (key->name && strcmp(key->name, name->text) != 0)
            key++;
        if (key->name) {
            key->set(reader, node->children[i + 1]);
            continue;
        }
        struct buffer known scoped_buffer = {0};
        for (key = keys; key->name; key++)
            buffer_printf(&known, "%s%s", known.length ? ", " : "", key->name);
        web_problem(reader, name, "unknown key \"%s\" in %s; there are %s",
                    problems_show(name->text, name->length).text, what, buffer_string(&known));
    }
}

void web_read_text(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   struct web_text *ret)
{
    if (node->kind != NODE_TEXT) {
        web_problem(reader, node, "%s must be a single value, not %s", what, yaml_node_kind_name(node));
        return;
    }
    web_text_deinit(ret);
    *ret = (struct web_text){.line = node->line, .column = node->column};
    if (yaml_node_is_null(node) || !node->text[0])
        return;
    ret->text = strdup(node->text);
    if (!ret->text)
        reader->problems->no_memory = true;
}

void web_read_path(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   struct web_text *ret)
{
    const char *slash = strrchr(reader->file, '/');
    web_read_text(reader, node, what, ret);
    if (!ret->text || ret->text[0] == '/' || !slash)
        return;
    char *joined;
    if (asprintf(&joined, "%.*s/%s", (int)(slash - reader->file), reader->file, ret->text) < 0) {
        reader->problems->no_memory = true;
        return;
    }
    free(ret->text);
    ret->text = joined;
}

void web_read_list(struct web_reader *reader, const struct yaml_node *node, const char *what,
                   struct web_text_list *ret)
{
    if (yaml_node_is_null(node))
        return;
    if (node->kind != NODE_LIST) {
        web_problem(reader, node, "%s must be a list, as [a, b], not %s", what, yaml_node_kind_name(node));
        return;
    }
    ret->is_given = true;
    if (ret->items)
        return; /* the key is given twice, which is a problem already */
    ret->items = calloc(node->count + 1, sizeof *ret->items);
    if (!ret->items) {
        reader->problems->no_memory = true;
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        web_read_text(reader, node->children[i], what, &ret->items[ret->count++]);
}

int web_find_name(const char *const *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -1;
}

void web_read_bool(struct web_reader *reader, const struct yaml_node *node, const char *what, bool *ret)
{
    /* YAML 1.1's words, each also with a capital at its begin or in capitals */
    static const char *const WORDS[] = {"n", "no", "off", "false", "y", "yes", "on", "true"};
    if (yaml_node_is_null(node))
        return;
    for (int i = 0; node->kind == NODE_TEXT && node->is_plain && i < 8; i++) {
        bool is_mixed =
            node->length > 1 && node->text[1] >= 'A' && node->text[1] <= 'Z' && node->text[0] >= 'a';
        if (strcasecmp(WORDS[i], node->text) == 0 && !is_mixed) {
            *ret = i >= 4;
            return;
        }
    }
    web_problem(reader, node, "%s must be true or false", what);
}
