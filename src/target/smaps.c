/*
 * smaps.c - see smaps.h. A mapping's first line begins with its addresses in lower-case hexadecimal, each of
 * the lines that follow with a name in upper case: that is how they are told apart.
 */
#include "target/smaps.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

#define SWAP_KEY "Swap:"

struct line {
    const char *at;
    const char *end;
};

struct parse {
    struct address_range *rows;
    size_t count, capacity;
    struct address_range now; /* the mapping that the lines are of */
    bool is_taken;
    uint64_t last_end;
};

static bool take_number(struct line *line, unsigned base, uint64_t *ret)
{
    const char *first = line->at;
    uint64_t value = 0;
    for (; line->at < line->end; line->at++) {
        unsigned c = (unsigned char)*line->at;
        unsigned digit = c - '0' < 10 ? c - '0' : base == 16 && c - 'a' < 6 ? c - 'a' + 10 : base;
        if (digit == base)
            break;
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return line->at != first;
}

static bool take_head(struct parse *parse, struct line line)
{
    struct address_range range;
    if (!take_number(&line, 16, &range.start) || line.at == line.end || *line.at++ != '-' ||
        !take_number(&line, 16, &range.end) || line.at == line.end || *line.at != ' ' ||
        range.start >= range.end || range.start < parse->last_end)
        return false;
    parse->now = range;
    parse->last_end = range.end;
    parse->is_taken = false;
    return true;
}

static bool append(struct parse *parse)
{
    if (!array_room(&parse->rows, parse->count, &parse->capacity))
        return false;
    parse->rows[parse->count++] = parse->now;
    parse->is_taken = true;
    return true;
}

static enum status take_line(struct parse *parse, struct line line)
{
    size_t key = strlen(SWAP_KEY);
    uint64_t amount;
    if (line.at == line.end || (*line.at >= 'A' && *line.at <= 'Z' && parse->last_end == 0))
        return STATUS_BAD_DATA;
    if (*line.at < 'A' || *line.at > 'Z')
        return take_head(parse, line) ? STATUS_OK : STATUS_BAD_DATA;
    if ((size_t)(line.end - line.at) < key || memcmp(line.at, SWAP_KEY, key) != 0)
        return STATUS_OK;
    for (line.at += key; line.at < line.end && *line.at == ' '; line.at++)
        ;
    if (!take_number(&line, 10, &amount))
        return STATUS_BAD_DATA;
    if (amount == 0 || parse->is_taken)
        return STATUS_OK;
    return append(parse) ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status smaps_swapped(const char *text, size_t length, struct address_range **ret, size_t *count_ret,
                          struct error *err)
{
    struct parse parse = {0};
    const char *at = text, *end = text + length;
    for (size_t number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        enum status status = take_line(&parse, (struct line){.at = at, .end = newline ? newline : end});
        if (status != STATUS_OK) {
            free(parse.rows);
            return error_set(err, status,
                             status == STATUS_NO_MEMORY ? "no memory for the mappings"
                                                        : "line %zu of smaps is not of its form",
                             number);
        }
        at = newline ? newline + 1 : end;
    }
    *ret = parse.rows;
    *count_ret = parse.count;
    return STATUS_OK;
}
