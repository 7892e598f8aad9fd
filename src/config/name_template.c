/* name_template.c - see name_template.h. */
#include "config/name_template.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "config/pattern.h"

#define PARTS_MAX 64
#define MATCHES "Matches."

/* Literal text, a field, or a named group of a cmdline pattern. */
struct part {
    enum part_kind { PART_TEXT, PART_FIELD, PART_MATCH } kind;
    char *text; /* the text, or the group's name */
    unsigned field;
};

struct name_template {
    struct part parts[PARTS_MAX];
    unsigned count;
};

static void put_comm(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, facts->comm);
}
/* A process without argv is called by its comm. */
static const char *exe_of(const struct process_facts *facts)
{
    return facts->argv0 && *facts->argv0 ? facts->argv0 : facts->comm;
}
static void put_exe_full(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, exe_of(facts));
}
static void put_exe_base(struct buffer *out, const struct process_facts *facts)
{
    const char *exe = exe_of(facts), *slash = strrchr(exe, '/');
    buffer_text(out, slash ? slash + 1 : exe);
}
static void put_user(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, facts->user);
}
static void put_pid(struct buffer *out, const struct process_facts *facts)
{
    buffer_printf(out, "%d", (int)facts->pid);
}
static void put_start(struct buffer *out, const struct process_facts *facts)
{
    char text[40];
    time_t seconds = (time_t)facts->start_time_seconds;
    struct tm tm;
    /* as Go prints a time.Time */
    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000 UTC", &tm))
        buffer_text(out, text);
}
static void put_cgroups(struct buffer *out, const struct process_facts *facts)
{
    /* the paths, as Go prints a list of strings */
    const char *line = facts->cgroups ? facts->cgroups : "";
    buffer_text(out, "[");
    for (bool is_first = true; *line; is_first = false) {
        size_t length = strcspn(line, "\n");
        const char *colon = memchr(line, ':', length);
        colon = colon ? memchr(colon + 1, ':', length - (size_t)(colon + 1 - line)) : NULL;
        if (!is_first)
            buffer_text(out, " ");
        if (colon)
            buffer_append(out, colon + 1, length - (size_t)(colon + 1 - line));
        line += length;
        line += *line != '\0';
    }
    buffer_text(out, "]");
}
static void put_cwd(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, facts->cwd);
}
static void put_unit(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, facts->unit);
}
static void put_container(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, facts->container_id);
}
static void put_pod(struct buffer *out, const struct process_facts *facts)
{
    buffer_text(out, facts->pod_uid);
}

static const struct {
    const char *name;
    void (*put)(struct buffer *out, const struct process_facts *facts);
} FIELDS[] = {
    {"Comm", put_comm}, {"ExeBase", put_exe_base},      {"ExeFull", put_exe_full}, {"Username", put_user},
    {"PID", put_pid},   {"StartTime", put_start},       {"Cgroups", put_cgroups},  {"Cwd", put_cwd},
    {"Unit", put_unit}, {"ContainerID", put_container}, {"PodUID", put_pod},
};
#define FIELD_COUNT (sizeof FIELDS / sizeof *FIELDS)

static bool add_part(struct name_template *name, enum part_kind kind, const char *text, size_t length,
                     unsigned field)
{
    if (name->count == PARTS_MAX)
        return false;
    struct part *part = &name->parts[name->count];
    *part = (struct part){.kind = kind, .text = strndup(text, length), .field = field};
    name->count += part->text != NULL;
    return part->text != NULL;
}

/* What stands between the braces. */
static bool add_action(struct name_template *name, const char *text, size_t length)
{
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (length < 2 || *text != '.')
        return false;
    text++;
    length--;
    if (length > strlen(MATCHES) && strncmp(text, MATCHES, strlen(MATCHES)) == 0) {
        const char *group = text + strlen(MATCHES);
        size_t group_length = length - strlen(MATCHES);
        for (size_t i = 0; i < group_length; i++)
            if (!isalnum((unsigned char)group[i]) && group[i] != '_')
                return false;
        return add_part(name, PART_MATCH, group, group_length, 0);
    }
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        if (strlen(FIELDS[i].name) == length && strncmp(FIELDS[i].name, text, length) == 0)
            return add_part(name, PART_FIELD, text, length, i);
    return false;
}

static enum status parse(struct name_template *name, const char *text, struct error *err)
{
    const char *at = text;
    while (*at) {
        const char *open = strstr(at, "{{");
        size_t length = open ? (size_t)(open - at) : strlen(at);
        if (length && !add_part(name, PART_TEXT, at, length, 0))
            return error_set(err, STATUS_USAGE, "the name has too many parts");
        if (!open)
            return STATUS_OK;
        const char *close = strstr(open, "}}");
        if (!close)
            return error_set(err, STATUS_USAGE, "at character %zu: \"{{\" without \"}}\"",
                             (size_t)(open - text) + 1);
        if (!add_action(name, open + 2, (size_t)(close - open - 2)))
            return error_set(err, STATUS_USAGE,
                             "at character %zu: allowed are {{.Comm}}, {{.ExeBase}}, {{.ExeFull}}, "
                             "{{.Username}}, {{.PID}}, {{.StartTime}}, {{.Cgroups}}, {{.Cwd}}, "
                             "{{.Matches.NAME}}, {{.Unit}}, {{.ContainerID}}, {{.PodUID}}",
                             (size_t)(open - text) + 1);
        at = close + 2;
    }
    return STATUS_OK;
}

enum status name_template_new(const char *text, struct name_template **ret, struct error *err)
{
    struct name_template *name = calloc(1, sizeof *name);
    if (!name)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a name");
    enum status status = *text ? parse(name, text, err) : error_set(err, STATUS_USAGE, "the name is empty");
    if (status != STATUS_OK) {
        name_template_free(name);
        return status;
    }
    *ret = name;
    return STATUS_OK;
}

void name_template_free(struct name_template *name)
{
    for (unsigned i = 0; name && i < name->count; i++)
        free(name->parts[i].text);
    free(name);
}

bool name_template_is_literal(const struct name_template *name, const char **text)
{
    if (name->count != 1 || name->parts[0].kind != PART_TEXT)
        return false;
    *text = name->parts[0].text;
    return true;
}

const char *name_template_match_name(const struct name_template *name, unsigned index)
{
    for (unsigned i = 0; i < name->count; i++)
        if (name->parts[i].kind == PART_MATCH && index-- == 0)
            return name->parts[i].text;
    return NULL;
}

/* The group of that name in the last cmdline pattern that has it. */
static void put_match(struct buffer *out, const char *group, const struct process_facts *facts,
                      const struct matchers *match)
{
    char value[256];
    for (size_t i = match->cmdline.count; i-- > 0;)
        if (pattern_capture(match->cmdline.items[i], facts->cmdline, group, value, sizeof value)) {
            buffer_text(out, value);
            return;
        }
}

void name_template_render(const struct name_template *name, const struct process_facts *facts,
                          const struct matchers *match, char ret[256])
{
    scoped_buffer struct buffer out = {0};
    for (unsigned i = 0; i < name->count; i++) {
        const struct part *part = &name->parts[i];
        if (part->kind == PART_TEXT)
            buffer_text(&out, part->text);
        else if (part->kind == PART_FIELD)
            FIELDS[part->field].put(&out, facts);
        else
            put_match(&out, part->text, facts, match);
    }
    utf8_clean(ret, 256, buffer_string(&out));
}
