/*
 * maps.c - see maps.h. One pass over the text with a cursor that never leaves it; two allocations for any
 * number of rows, since every name is shorter than its line.
 */
#include "target/maps.h"

#include <string.h>

#include "base/reserve.h"

#define DELETED_SUFFIX " (deleted)"

struct cursor {
    const char *at;
    const char *end;
};

static bool take_number(struct cursor *cursor, unsigned base, uint64_t *ret)
{
    const char *first = cursor->at;
    uint64_t value = 0;
    for (; cursor->at < cursor->end; cursor->at++) {
        unsigned c = (unsigned char)*cursor->at, digit;
        if (c - '0' < 10)
            digit = c - '0';
        else if (base == 16 && c - 'a' < 6)
            digit = c - 'a' + 10;
        else
            break;
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return cursor->at != first;
}

static bool take_char(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != wanted)
        return false;
    cursor->at++;
    return true;
}

/* One permission letter: @letter or @other; tells which. */
static bool take_flag(struct cursor *cursor, char letter, char other, bool *ret)
{
    *ret = take_char(cursor, letter);
    return *ret || take_char(cursor, other);
}

static bool take_device(struct cursor *cursor, struct mapping *row)
{
    uint64_t major, minor;
    if (!take_number(cursor, 16, &major) || !take_char(cursor, ':') || !take_number(cursor, 16, &minor) ||
        major > UINT32_MAX || minor > UINT32_MAX)
        return false;
    row->device_major = (uint32_t)major;
    row->device_minor = (uint32_t)minor;
    return true;
}

/* All columns but the name; the cursor then stands at the name or the end of the line. */
static bool take_columns(struct cursor *cursor, struct mapping *row)
{
    bool ok =
        take_number(cursor, 16, &row->start) && take_char(cursor, '-') &&
        take_number(cursor, 16, &row->end) && take_char(cursor, ' ') &&
        take_flag(cursor, 'r', '-', &row->is_readable) && take_flag(cursor, 'w', '-', &row->is_writable) &&
        take_flag(cursor, 'x', '-', &row->is_executable) && take_flag(cursor, 's', 'p', &row->is_shared) &&
        take_char(cursor, ' ') && take_number(cursor, 16, &row->offset) && take_char(cursor, ' ') &&
        take_device(cursor, row) && take_char(cursor, ' ') && take_number(cursor, 10, &row->inode);
    if (!ok || row->start >= row->end)
        return false;
    if (cursor->at != cursor->end && !take_char(cursor, ' '))
        return false;
    while (take_char(cursor, ' '))
        ;
    return true;
}

/* Copy the rest of the line to @names as the row's name; returns what follows in @names, NULL for a NUL. */
static char *take_name(const struct cursor *cursor, struct mapping *row, char *names)
{
    size_t length = (size_t)(cursor->end - cursor->at), suffix = strlen(DELETED_SUFFIX);
    if (memchr(cursor->at, '\0', length))
        return NULL;
    if (row->inode != 0 && length > suffix && memcmp(cursor->end - suffix, DELETED_SUFFIX, suffix) == 0) {
        row->is_deleted = true;
        length -= suffix;
    }
    memcpy(names, cursor->at, length);
    names[length] = '\0';
    row->name = names;
    return names + length + 1;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n';
    return count + (length > 0 && text[length - 1] != '\n');
}

static enum status parse_rows(const char *text, size_t length, struct maps *maps, struct error *err)
{
    const char *at = text, *end = text + length;
    char *names = maps->names;
    uint64_t last_end = 0;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct cursor line = {.at = at, .end = newline ? newline : end};
        struct mapping *row = &maps->rows[maps->count];
        bool ok = take_columns(&line, row) && row->start >= last_end;
        if (ok)
            names = take_name(&line, row, names);
        if (!ok || !names)
            return error_set(err, STATUS_BAD_DATA, "line %zu of the mappings is not of their form",
                             maps->count + 1);
        last_end = row->end;
        maps->count++;
        at = newline ? newline + 1 : end;
    }
    return STATUS_OK;
}

enum status maps_parse(const char *text, size_t length, struct maps *ret, struct error *err)
{
    scoped_maps struct maps maps = {0};
    maps.rows = reserve_calloc(count_lines(text, length) + 1, sizeof *maps.rows);
    maps.names = reserve_calloc(1, length + 1);
    if (!maps.rows || !maps.names)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the mappings");
    enum status status = parse_rows(text, length, &maps, err);
    if (status != STATUS_OK)
        return status;
    *ret = maps;
    maps = (struct maps){0};
    return STATUS_OK;
}

void maps_deinit(struct maps *maps)
{
    reserve_free(maps->rows);
    reserve_free(maps->names);
    *maps = (struct maps){0};
}

const struct mapping *maps_find(const struct maps *maps, uint64_t address)
{
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->rows[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == maps->count || maps->rows[low].start > address)
        return NULL;
    return &maps->rows[low];
}

bool maps_is_writable(const struct maps *maps, uint64_t start, uint64_t length)
{
    uint64_t end;
    if (__builtin_add_overflow(start, length, &end))
        return false;
    const struct mapping *row = maps_find(maps, start);
    if (!row)
        return false;
    for (; row < maps->rows + maps->count; row++) {
        if (row->start > start || !row->is_readable || !row->is_writable)
            return false;
        if (row->end >= end)
            return true;
        start = row->end;
    }
    return false;
}

bool mapping_is_anonymous(const struct mapping *mapping)
{
    return mapping->inode == 0 && mapping->is_writable && !mapping->is_shared;
}

bool maps_are_equal(const struct maps *a, const struct maps *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->rows[i].start != b->rows[i].start || a->rows[i].end != b->rows[i].end ||
            a->rows[i].inode != b->rows[i].inode)
            return false;
    return true;
}
