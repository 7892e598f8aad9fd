/* dump.c - formatting of chunk records; no printf on the way of a chunk. */
#include "encode/dump.h"

#include <string.h>

/* No record is longer, but for its content; checked against the longest of each format in the tests. */
#define RECORD_MAX 256

#define PUT(at, literal) put_text((at), literal, sizeof(literal) - 1)

static inline char *put_text(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

static inline char *put_u64(char *at, uint64_t value)
{
    char digits[20];
    char *digit = digits + sizeof(digits);
    do
        *--digit = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    return put_text(at, digit, (size_t)(digits + sizeof(digits) - digit));
}

static inline char *put_hex(char *at, uint64_t value)
{
    int nibbles = value ? (67 - __builtin_clzll(value)) / 4 : 1;
    *at++ = '0';
    *at++ = 'x';
    for (int i = nibbles - 1; i >= 0; i--)
        *at++ = "0123456789abcdef"[(value >> (4 * i)) & 15];
    return at;
}

/* Blanks up to @width bytes behind @start. */
static inline char *put_padding(char *at, const char *start, int width)
{
    while (at - start < width)
        *at++ = ' ';
    return at;
}

static inline char *put_state(char *at, uint8_t state)
{
    const char *name = chunk_state_name(state);
    return put_text(at, name, strlen(name));
}

static char *put_json(char *at, const struct chunk *chunk)
{
    at = PUT(at, "{\"address\":\"");
    at = put_hex(at, chunk->address);
    if (chunk->state == CHUNK_TOP) {
        at = PUT(at, "\",\"user_address\":null,\"size\":");
    } else {
        at = PUT(at, "\",\"user_address\":\"");
        at = put_hex(at, chunk->address + chunk->header_bytes);
        at = PUT(at, "\",\"size\":");
    }
    at = put_u64(at, chunk->size);
    at = PUT(at, ",\"state\":\"");
    at = put_state(at, chunk->state);
    at = PUT(at, "\",\"arena\":");
    at = chunk->arena == CHUNK_NO_ARENA ? PUT(at, "null") : put_u64(at, chunk->arena);
    return chunk->prev_in_use ? PUT(at, ",\"prev_in_use\":true") : PUT(at, ",\"prev_in_use\":false");
}

static char *put_csv(char *at, const struct chunk *chunk)
{
    at = put_hex(at, chunk->address);
    *at++ = ',';
    if (chunk->state != CHUNK_TOP)
        at = put_hex(at, chunk->address + chunk->header_bytes);
    *at++ = ',';
    at = put_u64(at, chunk->size);
    *at++ = ',';
    at = put_state(at, chunk->state);
    *at++ = ',';
    if (chunk->arena != CHUNK_NO_ARENA)
        at = put_u64(at, chunk->arena);
    return chunk->prev_in_use ? PUT(at, ",true") : PUT(at, ",false");
}

static char *put_row(char *at, const struct chunk *chunk)
{
    char *start = at;
    at = put_padding(put_hex(at, chunk->address), start, 20);
    at = chunk->state == CHUNK_TOP ? PUT(at, "-") : put_hex(at, chunk->address + chunk->header_bytes);
    at = put_padding(at, start, 40);
    at = put_padding(put_u64(at, chunk->size), start, 56);
    at = put_padding(put_state(at, chunk->state), start, 66);
    at = chunk->arena == CHUNK_NO_ARENA ? PUT(at, "-") : put_u64(at, chunk->arena);
    at = put_padding(at, start, 73);
    return chunk->prev_in_use ? PUT(at, "yes") : PUT(at, "no");
}

static inline bool filter_takes(const struct dump_filter *filter, const struct chunk *chunk)
{
    return chunk->state < CHUNK_STATE_COUNT && (!filter->states || filter->states >> chunk->state & 1) &&
           (!filter->has_arena || chunk->arena == filter->arena) && chunk->size >= filter->min_bytes &&
           chunk->size <= filter->max_bytes;
}

/* What the program has put into the chunk, as hex digits; nothing of a top, which it does not have. */
static char *put_content(const struct dump *dump, char *at, const struct chunk *chunk)
{
    uint8_t data[DUMP_CONTENT_MAX];
    uint64_t room = chunk->size > chunk->header_bytes ? chunk->size - chunk->header_bytes : 0;
    size_t wanted = room < dump->content_bytes ? (size_t)room : dump->content_bytes;
    size_t got = chunk->state == CHUNK_TOP
                     ? 0
                     : dump->read(dump->read_context, chunk->address + chunk->header_bytes, data, wanted);
    for (size_t i = 0; i < got; i++) {
        *at++ = "0123456789abcdef"[data[i] >> 4];
        *at++ = "0123456789abcdef"[data[i] & 15];
    }
    return at;
}

static void put_record(struct dump *dump, const struct chunk *chunk)
{
    char *at = dump->end, *start = at;
    bool is_json = dump->format == DUMP_JSON || dump->format == DUMP_NDJSON;
    at = dump->format == DUMP_CSV ? put_csv(at, chunk) : is_json ? put_json(at, chunk) : put_row(at, chunk);
    if (dump->content_bytes) {
        at = is_json ? PUT(at, ",\"content\":\"") : dump->format == DUMP_CSV ? PUT(at, ",") : at;
        at = dump->format == DUMP_TEXT ? put_padding(at, start, 86) : at;
        at = put_content(dump, at, chunk);
        at = is_json ? PUT(at, "\"") : at;
    }
    at = is_json ? PUT(at, "}") : at;
    at = dump->format == DUMP_JSON ? PUT(at, ",\n") : PUT(at, "\n");
    dump->end = at;
}

/* Hand over what is in the block; false where the reader is gone. */
static bool flush(struct dump *dump)
{
    size_t length = (size_t)(dump->end - dump->block);
    dump->end = dump->block;
    if (!dump->has_failed && length && !dump->write(dump->context, dump->block, length))
        dump->has_failed = true;
    return !dump->has_failed;
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct dump *dump = (struct dump *)sink;
    if (dump->has_failed || dump->is_limited)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!filter_takes(&dump->filter, &chunks[i]))
            continue;
        if (dump->block + sizeof(dump->block) - dump->end < RECORD_MAX + 2 * (ptrdiff_t)dump->content_bytes &&
            !flush(dump))
            return false;
        put_record(dump, &chunks[i]);
        dump->bytes += chunks[i].size;
        if (++dump->chunks == dump->filter.limit) {
            dump->is_limited = true;
            return false;
        }
    }
    return true;
}

void dump_begin(struct dump *dump, enum dump_format format, const struct dump_filter *filter,
                dump_write write, void *context)
{
    static const char *const HEADS[DUMP_FORMAT_COUNT] = {
        [DUMP_NDJSON] = "",
        [DUMP_JSON] = "[\n",
        [DUMP_CSV] = "address,user_address,size,state,arena,prev_in_use\n",
        [DUMP_TEXT] =
            "ADDRESS             USER ADDRESS        SIZE            STATE     ARENA  PREV IN USE\n",
    };
    memset(dump, 0, offsetof(struct dump, block));
    dump->sink.consume = consume;
    dump->format = format;
    dump->filter = *filter;
    dump->write = write;
    dump->context = context;
    dump->end = put_text(dump->block, HEADS[format], strlen(HEADS[format]));
}

void dump_add_content(struct dump *dump, uint32_t bytes, dump_read read, void *context)
{
    dump->content_bytes = bytes < DUMP_CONTENT_MAX ? bytes : DUMP_CONTENT_MAX;
    dump->read = read;
    dump->read_context = context;
    if (dump->format != DUMP_CSV && dump->format != DUMP_TEXT)
        return;
    dump->end--; /* the newline of the head */
    dump->end = dump->format == DUMP_CSV ? PUT(dump->end, ",content\n") : PUT(dump->end, "  CONTENT\n");
}

bool dump_end(struct dump *dump, bool is_complete, uint64_t tcaches_missing)
{
    if (!flush(dump))
        return false;
    if (dump->format == DUMP_CSV || dump->format == DUMP_TEXT)
        return true;
    char *at = dump->end;
    at = PUT(at, "{\"summary\":{\"chunks\":");
    at = put_u64(at, dump->chunks);
    at = PUT(at, ",\"bytes\":");
    at = put_u64(at, dump->bytes);
    at = is_complete ? PUT(at, ",\"complete\":true") : PUT(at, ",\"complete\":false");
    if (tcaches_missing > 0) {
        at = PUT(at, ",\"tcaches_missing\":");
        at = put_u64(at, tcaches_missing);
    }
    if (dump->is_limited)
        at = PUT(at, ",\"limited\":true");
    at = dump->format == DUMP_JSON ? PUT(at, "}}\n]\n") : PUT(at, "}}\n");
    dump->end = at;
    return flush(dump);
}
