/* name_template.c - see name_template.h. */
#include "config/name_template.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "config/config.h"
#include "config/facts.h"
#include "config/pattern.h"
#include "config/problems.h"

#define MATCHES ".Matches."
#define BLANKS " \t\r\n"
#define ALLOWED                                                                                      \
    "{{.Comm}}, {{.ExeBase}}, {{.ExeFull}}, {{.Username}}, {{.PID}}, {{.StartTime}}, {{.Cgroups}}, " \
    "{{.Cwd}}, "                                                                                     \
    "{{.Matches.NAME}}, {{.Unit}}, {{.ContainerID}} and {{.PodUID}}"

/* year 9999: what a date has room for */
#define SECONDS_MAX 253402300799.0

/* Literal text, a field, or a named group of a cmdline pattern. */
struct part {
    enum part_kind { PART_TEXT, PART_FIELD, PART_MATCH } kind;
    char *text; /* the text, or the group's name; NULL of a field */
    void (*put)(const struct process_facts *facts, struct buffer *ret);
    size_t offset;
};

struct name_template {
    struct part *parts;
    size_t count, capacity;
};

static void put_comm(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_text(facts->comm));
}

static void put_exe_base(const struct process_facts *facts, struct buffer *ret)
{
    if (!facts->argv0) {
        buffer_text(ret, facts_text(facts->comm));
        return;
    }
    struct facts_part base = facts_base(facts->argv0);
    buffer_append(ret, base.text, base.length);
}

static void put_exe_full(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_exe(facts));
}

static void put_username(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_text(facts->user));
}

static void put_pid(const struct process_facts *facts, struct buffer *ret)
{
    buffer_printf(ret, "%d", (int)facts->pid);
}

/* As Go prints a time.Time of hundredths of seconds: "2024-01-31 12:00:00.25 +0000 UTC". */
static void put_start_time(const struct process_facts *facts, struct buffer *ret)
{
    double seconds = facts->start_time_seconds;
    if (!(seconds >= 0 && seconds < SECONDS_MAX))
        return;
    long long hundredths = (long long)(seconds * 100 + 0.5);
    time_t whole = (time_t)(hundredths / 100);
    unsigned fraction = (unsigned)(hundredths % 100);
    struct tm tm;
    char text[40];
    if (!gmtime_r(&whole, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm))
        return;
    buffer_text(ret, text);
    if (fraction > 0 && fraction % 10 == 0)
        buffer_printf(ret, ".%u", fraction / 10);
    else if (fraction > 0)
        buffer_printf(ret, ".%02u", fraction);
    buffer_text(ret, " +0000 UTC");
}

/* As Go prints a list of strings: "[/a /b]". */
static void put_cgroups(const struct process_facts *facts, struct buffer *ret)
{
    const char *at = facts_text(facts->cgroups);
    struct facts_part path;
    buffer_text(ret, "[");
    for (bool is_first = true; facts_next_cgroup(&at, &path); is_first = false) {
        buffer_text(ret, is_first ? "" : " ");
        buffer_append(ret, path.text, path.length);
    }
    buffer_text(ret, "]");
}

static void put_cwd(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_text(facts->cwd));
}

static void put_unit(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_text(facts->unit));
}

static void put_container_id(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_text(facts->container_id));
}

static void put_pod_uid(const struct process_facts *facts, struct buffer *ret)
{
    buffer_text(ret, facts_text(facts->pod_uid));
}

static const struct field {
    const char *name;
    void (*put)(const struct process_facts *facts, struct buffer *ret);
} FIELDS[] = {
    {".Comm", put_comm},
    {".ExeBase", put_exe_base},
    {".ExeFull", put_exe_full},
    {".Username", put_username},
    {".PID", put_pid},
    {".StartTime", put_start_time},
    {".Cgroups", put_cgroups},
    {".Cwd", put_cwd},
    {".Unit", put_unit},
    {".PodUID", put_pod_uid},
    {".ContainerID", put_container_id},
};

/* @length bytes of @text are the part's text, none where that is NULL. */
static enum status add_part(struct name_template *name, const struct part *part, const char *text,
                            size_t length, struct error *err)
{
    if (!array_room(&name->parts, name->count, &name->capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a name");
    struct part *added = &name->parts[name->count];
    *added = *part;
    added->text = text ? strndup(text, length) : NULL;
    if (text && !added->text)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a name");
    name->count++;
    return STATUS_OK;
}

static bool is_group_name(const char *text, size_t length)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    return length > 0 && strchr(LETTERS, *text) && strspn(text, "0123456789") == 0 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") >= length;
}

/* What stands between the braces at @offset of the whole. */
static enum status add_action(struct name_template *name, const char *text, size_t length, size_t offset,
                              struct error *err)
{
    const char *inside = text + strspn(text, BLANKS);
    size_t inside_length = inside < text + length ? (size_t)(text + length - inside) : 0;
    while (inside_length > 0 && strchr(BLANKS, inside[inside_length - 1]))
        inside_length--;
    struct part part = {.kind = PART_FIELD, .offset = offset};
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (strlen(FIELDS[i].name) == inside_length && memcmp(FIELDS[i].name, inside, inside_length) == 0) {
            part.put = FIELDS[i].put;
            return add_part(name, &part, NULL, 0, err);
        }
    const char *group = inside + strlen(MATCHES);
    if (inside_length > strlen(MATCHES) && memcmp(inside, MATCHES, strlen(MATCHES)) == 0 &&
        is_group_name(group, inside_length - strlen(MATCHES))) {
        part.kind = PART_MATCH;
        return add_part(name, &part, group, inside_length - strlen(MATCHES), err);
    }
    return error_set(err, STATUS_USAGE, "{{%s}} is not supported; there are " ALLOWED,
                     problems_show(text, length).text);
}

static enum status parse(struct name_template *name, const char *text, size_t *offset_ret, struct error *err)
{
    const char *at = text;
    while (*at) {
        const char *open = strstr(at, "{{");
        size_t length = open ? (size_t)(open - at) : strlen(at);
        struct part literal = {.kind = PART_TEXT, .offset = (size_t)(at - text)};
        enum status status = length ? add_part(name, &literal, at, length, err) : STATUS_OK;
        if (status != STATUS_OK || !open)
            return status;
        const char *close = strstr(open, "}}");
        *offset_ret = (size_t)(open - text);
        if (!close)
            return error_set(err, STATUS_USAGE, "\"{{\" without \"}}\"; there are " ALLOWED);
        status = add_action(name, open + 2, (size_t)(close - open - 2), (size_t)(open - text), err);
        if (status != STATUS_OK)
            return status;
        at = close + 2;
    }
    return STATUS_OK;
}

enum status name_template_new(const char *text, struct name_template **ret, size_t *offset_ret,
                              struct error *err)
{
    struct name_template *name = calloc(1, sizeof *name);
    const char *literal;
    *offset_ret = 0;
    if (!name)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a name");
    enum status status =
        *text ? parse(name, text, offset_ret, err) : error_set(err, STATUS_USAGE, "a name must not be empty");
    if (status == STATUS_OK && name_template_is_literal(name, &literal) &&
        strlen(literal) > NAME_TEMPLATE_BYTES_MAX)
        status = error_set(err, STATUS_USAGE, "a name may have 255 bytes, not %zu", strlen(literal));
    if (status != STATUS_OK) {
        name_template_free(name);
        return status;
    }
    *ret = name;
    return STATUS_OK;
}

void name_template_free(struct name_template *name)
{
    if (!name)
        return;
    for (size_t i = 0; i < name->count; i++)
        free(name->parts[i].text);
    free(name->parts);
    free(name);
}

bool name_template_is_literal(const struct name_template *name, const char **text)
{
    if (name->count != 1 || name->parts[0].kind != PART_TEXT)
        return false;
    *text = name->parts[0].text;
    return true;
}

const char *name_template_match_name(const struct name_template *name, size_t index, size_t *offset_ret)
{
    for (size_t i = 0; i < name->count; i++)
        if (name->parts[i].kind == PART_MATCH && index-- == 0) {
            *offset_ret = name->parts[i].offset;
            return name->parts[i].text;
        }
    return NULL;
}

/* The group of that name in the last cmdline pattern that has it, as process-exporter has it. */
static void put_match(const char *group, const struct process_facts *facts, const struct matchers *match,
                      struct buffer *ret)
{
    const char *cmdline = facts_text(facts->cmdline);
    for (size_t i = match->cmdline.count; i > 0; i--)
        if (pattern_capture(match->cmdline.items[i - 1], cmdline, strlen(cmdline), group, ret))
            return;
}

void name_template_render(const struct name_template *name, const struct process_facts *facts,
                          const struct matchers *match, char ret[NAME_TEMPLATE_BYTES_MAX + 1])
{
    scoped_buffer struct buffer out = {0};
    for (size_t i = 0; i < name->count; i++) {
        const struct part *part = &name->parts[i];
        if (part->kind == PART_TEXT)
            buffer_text(&out, part->text);
        else if (part->kind == PART_FIELD)
            part->put(facts, &out);
        else
            put_match(part->text, facts, match, &out);
    }
    utf8_clean(ret, NAME_TEMPLATE_BYTES_MAX + 1, buffer_string(&out));
}
