/* load_matchers.c - the matchers of an entry and of its exclude. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "config/load.h"
#include "config/pattern.h"
#include "config/values.h"

/* of all patterns together: a few repetitions of repetitions can take 64 KiB each */
#define COMPILED_BYTES_MAX ((size_t)16 << 20)

/* A value of a list into @field of struct matchers; @name is for messages. */
typedef void add_function(struct loader *loader, const char *name, const struct yaml_node *node, void *field);

/* Whether there @is_room for one more; that there is none is told once, at the end of the file. */
static bool has_room(struct loader *loader, bool is_room)
{
    if (!is_room)
        loader->problems.no_memory = true;
    return is_room;
}

static void add_string(struct loader *loader, const char *name, const struct yaml_node *node, void *field)
{
    struct string_list *list = field;
    (void)name;
    if (!has_room(loader, array_room(&list->items, list->count, &list->capacity)))
        return;
    list->items[list->count] = load_copy(loader, node->text);
    if (list->items[list->count])
        list->count++;
}

static void refuse_pattern(struct loader *loader, const char *name, const struct yaml_node *node,
                           size_t offset, const struct error *err)
{
    if (err->status == STATUS_NO_MEMORY)
        loader->problems.no_memory = true;
    else
        load_problem(loader, node, "%s: bad pattern: %s, at offset %zu of \"%s\"", name, err->message, offset,
                     problems_show(node->text, node->length).text);
}

static void add_pattern(struct loader *loader, const char *name, const struct yaml_node *node, void *field)
{
    struct pattern_list *list = field;
    struct pattern *pattern;
    struct error err = {0};
    size_t offset = 0;
    /* that they are too large was said; more work would change nothing */
    if (loader->pattern_bytes > COMPILED_BYTES_MAX)
        return;
    if (pattern_new(node->text, &pattern, &offset, &err) != STATUS_OK) {
        refuse_pattern(loader, name, node, offset, &err);
        return;
    }
    loader->pattern_bytes += pattern_size(pattern);
    if (loader->pattern_bytes > COMPILED_BYTES_MAX) {
        load_problem(loader, node, "%s: the patterns of this file take more than 16 MiB of memory", name);
        pattern_free(pattern);
    } else if (has_room(loader, array_room(&list->items, list->count, &list->capacity))) {
        list->items[list->count++] = pattern;
    } else {
        pattern_free(pattern);
    }
}

static void add_pid(struct loader *loader, const char *name, const struct yaml_node *node, void *field)
{
    struct matchers *match = field;
    uint64_t pid;
    if (!value_count(node->text, &pid) || pid == 0 || pid > INT32_MAX) {
        load_problem(loader, node, "%s: \"%s\" must be the number of a process, from 1 to %d", name,
                     problems_show(node->text, node->length).text, INT32_MAX);
        return;
    }
    if (has_room(loader, array_room(&match->pids, match->pids_count, &match->pids_capacity)))
        match->pids[match->pids_count++] = (int32_t)pid;
}

static void set_pid_file(struct loader *loader, const char *name, const struct yaml_node *node, void *field)
{
    struct matchers *match = field;
    if (node->text[0] != '/')
        load_problem(loader, node, "%s: \"%s\" must be an absolute path", name,
                     problems_show(node->text, node->length).text);
    else if (!match->pid_file)
        match->pid_file = load_copy(loader, node->text);
}

static const struct kind {
    const char *key;
    size_t offset;
    add_function *add;
    bool is_single;
} KINDS[] = {
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
#define KINDS_COUNT (sizeof KINDS / sizeof *KINDS)

static void load_list(struct loader *loader, const struct kind *kind, const char *name,
                      const struct yaml_node *value, struct matchers *match)
{
    if (!load_is(loader, value, NODE_LIST, name))
        return;
    if (value->count == 0)
        load_problem(loader, value, "%s is an empty list, which no process can match; leave %s out", name,
                     name);
    scoped_buffer struct buffer what = {0};
    buffer_printf(&what, "each item of %s", name);
    for (size_t i = 0; i < value->count; i++)
        if (load_is(loader, value->children[i], NODE_TEXT, buffer_string(&what)))
            kind->add(loader, name, value->children[i], (char *)match + kind->offset);
}

bool load_matcher(struct loader *loader, const char *what, const struct yaml_node *key,
                  const struct yaml_node *value, struct matchers *match)
{
    size_t at = 0;
    while (at < KINDS_COUNT && strcmp(KINDS[at].key, key->text) != 0)
        at++;
    if (at == KINDS_COUNT)
        return false;
    scoped_buffer struct buffer name = {0};
    buffer_printf(&name, "%s%s", what, key->text);
    /* as process-exporter has it, a key without a value is not given */
    if (yaml_node_is_null(value))
        return true;
    if (!KINDS[at].is_single)
        load_list(loader, &KINDS[at], buffer_string(&name), value, match);
    else if (load_is(loader, value, NODE_TEXT, buffer_string(&name)))
        KINDS[at].add(loader, buffer_string(&name), value, (char *)match + KINDS[at].offset);
    return true;
}

void load_exclude(struct loader *loader, const struct yaml_node *node, struct matchers *exclude)
{
    if (yaml_node_is_null(node) || !load_is(loader, node, NODE_MAP, "exclude"))
        return;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        const struct yaml_node *key = node->children[i];
        if (load_matcher(loader, "exclude.", key, node->children[i + 1], exclude))
            continue;
        scoped_buffer struct buffer known = {0};
        load_matcher_keys(&known);
        load_problem(loader, key, "unknown key \"%s\" in exclude; there are %s",
                     problems_show(key->text, key->length).text, buffer_string(&known));
    }
}

void load_matcher_keys(struct buffer *ret)
{
    for (size_t i = 0; i < KINDS_COUNT; i++)
        buffer_printf(ret, "%s%s", i > 0 ? ", " : "", KINDS[i].key);
}

bool load_has_matcher(const struct matchers *match)
{
    return match->comm.count > 0 || match->exe.count > 0 || match->exe_path.count > 0 ||
           match->cmdline.count > 0 || match->user.count > 0 || match->unit.count > 0 ||
           match->cgroup.count > 0 || match->pids_count > 0 || match->pid_file;
}

static void free_strings(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static void free_patterns(struct pattern_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        pattern_free(list->items[i]);
    free(list->items);
}

void load_matchers_deinit(struct matchers *match)
{
    free_strings(&match->comm);
    free_strings(&match->exe);
    free_strings(&match->exe_path);
    free_patterns(&match->cmdline);
    free_strings(&match->user);
    free_strings(&match->unit);
    free_patterns(&match->cgroup);
    free(match->pids);
    free(match->pid_file);
}
