/* params.c - the parameters of a dump's request: one row each. */
#include "roles/front/http/params.h"

#include <errno.h>
#include <string.h>

#include "roles/front/http/params_set.h"

#define SIZES_TOP_DEFAULT 50
#define SIZES_TOP_MAX 100000
#define CELLS_DEFAULT 512
#define CELLS_MAX 4096
#define CONTENT_MAX 4096
/* Bits of a parameter: the dumps that take it, then the questions. */
#define FOR(kind) (1u << (kind))
#define ASKED(kind) (1u << (8 + (kind)))

bool params_parse_u64(const char *text, uint64_t maximum, uint64_t *ret)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    *ret = value;
    return value <= maximum;
}

static bool parse_u32(const char *text, uint32_t maximum, uint32_t *ret)
{
    uint64_t value;
    if (!params_parse_u64(text, maximum, &value))
        return false;
    *ret = (uint32_t)value;
    return true;
}

static bool set_format(struct message_stream *stream, const char *value)
{
    int format = dump_format_parse(value);
    stream->format = (uint32_t)format;
    return format >= 0;
}

static bool set_state(struct message_stream *stream, const char *value)
{
    bool found = false;
    static const struct {
        const char *name;
        bool is_free;
    } states[] = {
#define X(name, label, is_free) {label, is_free},
        CHUNK_STATE_TABLE(X)
#undef X
    };
    for (uint32_t i = 0; i < CHUNK_STATE_COUNT; i++) {
        if (!strcmp(states[i].name, value) || (states[i].is_free && !strcmp(value, "free"))) {
            stream->states |= 1u << i;
            found = true;
        }
    }
    return found;
}

static bool set_arena(struct message_stream *stream, const char *value)
{
    stream->has_arena = 1;
    return parse_u32(value, UINT32_MAX - 1, &stream->arena);
}

static bool set_min_size(struct message_stream *stream, const char *value)
{
    return params_parse_u64(value, UINT64_MAX, &stream->min_bytes);
}

static bool set_max_size(struct message_stream *stream, const char *value)
{
    return params_parse_u64(value, UINT64_MAX, &stream->max_bytes);
}

static bool set_limit(struct message_stream *stream, const char *value)
{
    return params_parse_u64(value, UINT64_MAX, &stream->limit) && stream->limit > 0;
}

static bool set_content(struct message_stream *stream, const char *value)
{
    return parse_u32(value, CONTENT_MAX, &stream->content_bytes) && stream->content_bytes > 0;
}

static bool set_consistency(struct message_stream *stream, const char *value)
{
    static const char *const names[] = {
#define X(name, label) label,
        CONSISTENCY_TABLE(X)
#undef X
    };
    for (uint32_t i = 0; i < CONSISTENCY_COUNT; i++) {
        if (!strcmp(names[i], value)) {
            stream->consistency = i;
            return true;
        }
    }
    return false;
}

static bool set_top(struct message_stream *stream, const char *value)
{
    return parse_u32(value, SIZES_TOP_MAX, &stream->top) && stream->top > 0;
}

static bool set_cells(struct message_stream *stream, const char *value)
{
    return parse_u32(value, CELLS_MAX, &stream->cells) && stream->cells > 0;
}

static const struct parameter {
    const char *name;
    unsigned kinds;
    bool is_repeatable;
    params_set *set;
    const char *allowed;
} parameters[] = {
    {"format", FOR(STREAM_CHUNKS), false, set_format, "ndjson, json, csv or text"},
    {"state", FOR(STREAM_CHUNKS) | FOR(STREAM_SIZES), true, set_state,
     "in_use, tcache, fastbin, unsorted, small, large, top, mmapped or free"},
    {"arena", FOR(STREAM_CHUNKS) | FOR(STREAM_SIZES), false, set_arena, "the index of an arena, from 0"},
    {"min_size", FOR(STREAM_CHUNKS), false, set_min_size, "bytes, a whole number from 0"},
    {"max_size", FOR(STREAM_CHUNKS), false, set_max_size, "bytes, a whole number from 0"},
    {"limit", FOR(STREAM_CHUNKS), false, set_limit, "a whole number from 1"},
    {"limit", ASKED(INSPECTION_SYMBOLS) | ASKED(INSPECTION_STRINGS) | ASKED(INSPECTION_SEARCH), false,
     params_set_findings, "a whole number from 1 to 100000"},
    {"match", ASKED(INSPECTION_SYMBOLS), false, params_set_match, "a part of a name, 1 to 255 bytes"},
    {"exact", ASKED(INSPECTION_SYMBOLS), false, params_set_exact, "0 or 1"},
    {"at", ASKED(INSPECTION_STRUCT) | ASKED(INSPECTION_MEMORY), false, params_set_at,
     "an address in hexadecimal, with or without 0x"},
    {"length", ASKED(INSPECTION_MEMORY), false, params_set_length, "bytes, a whole number from 1"},
    {"region", ASKED(INSPECTION_MEMORY), false, params_set_match,
     "a region's name as maps shows it, instead of at and length"},
    {"min", ASKED(INSPECTION_STRINGS), false, params_set_min, "characters, a whole number from 1 to 4096"},
    {"bytes", ASKED(INSPECTION_SEARCH), false, params_set_bytes,
     "1 to 255 bytes in hexadecimal, without text and pointer"},
    {"text", ASKED(INSPECTION_SEARCH), false, params_set_needle, "1 to 255 bytes, without bytes and pointer"},
    {"pointer", ASKED(INSPECTION_SEARCH), false, params_set_pointer,
     "an address in hexadecimal, without bytes and text"},
    {"content", FOR(STREAM_CHUNKS), false, set_content, "bytes, 1 to 4096"},
    {"consistency", FOR(STREAM_CHUNKS) | FOR(STREAM_SIZES) | FOR(STREAM_ARENAS) | FOR(STREAM_HEAPMAP), false,
     set_consistency, "live, sliced or snapshot"},
    {"cells", FOR(STREAM_HEAPMAP), false, set_cells, "a whole number from 1 to 4096"},
    {"top", FOR(STREAM_SIZES), false, set_top, "a whole number from 1 to 100000"},
};
#define PARAMETERS_COUNT (sizeof(parameters) / sizeof(*parameters))

struct reading {
    struct message_stream stream;
    unsigned group; /* FOR() or ASKED() of what is asked */
    unsigned seen;  /* bit i: parameters[i] */
    enum status status;
    struct error *err;
};

static const struct parameter *find(const char *name, size_t length, unsigned kinds)
{
    for (size_t i = 0; i < PARAMETERS_COUNT; i++)
        if (strlen(parameters[i].name) == length && !memcmp(parameters[i].name, name, length) &&
            (parameters[i].kinds & kinds))
            return &parameters[i];
    return NULL;
}

static enum MHD_Result take(void *context, enum MHD_ValueKind kind, const char *key, size_t key_length,
                            const char *value, size_t value_length)
{
    (void)kind;
    struct reading *reading = context;
    const struct parameter *parameter = find(key, key_length, reading->group);
    if (!parameter) {
        struct buffer names scoped_buffer = {0};
        for (size_t i = 0; i < PARAMETERS_COUNT; i++)
            if (parameters[i].kinds & reading->group)
                buffer_printf(&names, "%s%s", names.length ? ", " : "", parameters[i].name);
        reading->status = error_set(reading->err, STATUS_USAGE, "unknown parameter %.60s: allowed are %s",
                                    key, names.length ? buffer_string(&names) : "none");
        return MHD_NO;
    }
    unsigned bit = 1u << (parameter - parameters);
    if ((reading->seen & bit) && !parameter->is_repeatable)
        reading->status = error_set(reading->err, STATUS_USAGE,
                                    "parameter %s is given twice: allowed is once", parameter->name);
    else if (!value || strlen(value) != value_length || !parameter->set(&reading->stream, value))
        reading->status = error_set(reading->err, STATUS_USAGE, "parameter %s: allowed is %s",
                                    parameter->name, parameter->allowed);
    reading->seen |= bit;
    return reading->status ? MHD_NO : MHD_YES;
}

enum status params_read(struct request *request, enum stream_kind kind, struct message_stream *ret,
                        struct error *err)
{
    struct reading reading = {.stream = {.pid = request->pid,
                                         .kind = kind,
                                         .format = kind == STREAM_CHUNKS ? DUMP_NDJSON : DUMP_JSON,
                                         .max_bytes = UINT64_MAX,
                                         .consistency = UINT32_MAX,
                                         .top = kind == STREAM_SIZES ? SIZES_TOP_DEFAULT : 0,
                                         .cells = kind == STREAM_HEAPMAP ? CELLS_DEFAULT : 0},
                              .group = FOR(kind),
                              .err = err};
    MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, take, &reading);
    if (!reading.status && reading.stream.min_bytes > reading.stream.max_bytes)
        return error_set(err, STATUS_USAGE, "parameter min_size: allowed is at most max_size");
    if (!reading.status)
        *ret = reading.stream;
    return reading.status;
}

enum status params_read_inspection(struct request *request, unsigned kind, struct message_stream *ret,
                                   struct error *err)
{
    struct reading reading = {.stream = {.pid = request->pid,
                                         .kind = STREAM_INSPECTION,
                                         .max_bytes = UINT64_MAX,
                                         .consistency = UINT32_MAX,
                                         .question = {.kind = kind}},
                              .group = ASKED(kind),
                              .err = err};
    MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, take, &reading);
    if (!reading.status)
        *ret = reading.stream;
    return reading.status;
}

enum status params_none(struct request *request, struct error *err)
{
    if (MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0)
        return error_set(err, STATUS_USAGE, "this path takes no parameter");
    return STATUS_OK;
}
