/* problems.c - see problems.h. */
#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/utf8.h"

/* of a text of the file; more is cut */
#define SHOWN_BYTES_MAX 60

void problems_add(struct problems *problems, unsigned line, unsigned column, const char *format, ...)
{
    problems->found++;
    if (problems->count == PROBLEMS_SHOWN_MAX)
        return;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    bool has_text = vasprintf(&text, format, arguments) >= 0;
    va_end(arguments);
    if (!has_text || !array_room(&problems->items, problems->count, &problems->capacity)) {
        problems->no_memory = true;
        free(has_text ? text : NULL);
        return;
    }
    problems->items[problems->count] =
        (struct problem){.line = line, .column = column, .order = problems->count, .text = text};
    problems->count++;
}

struct problems_shown problems_show(const char *text, size_t length)
{
    struct problems_shown shown;
    size_t used = 0, at = 0;
    while (at < length && used < SHOWN_BYTES_MAX) {
        unsigned char byte = (unsigned char)text[at];
        size_t sequence = utf8_sequence_length(text + at, length - at);
        if (byte < 0x20 || byte == 0x7f || sequence == 0) {
            used += (size_t)snprintf(shown.text + used, sizeof shown.text - used, "\\x%02x", byte);
            at++;
            continue;
        }
        memcpy(shown.text + used, text + at, sequence);
        used += sequence;
        at += sequence;
    }
    snprintf(shown.text + used, sizeof shown.text - used, "%s", at < length ? "…" : "");
    return shown;
}

static int by_place(const void *a, const void *b)
{
    const struct problem *first = a, *second = b;
    if (first->line != second->line)
        return first->line < second->line ? -1 : 1;
    if (first->column != second->column)
        return first->column < second->column ? -1 : 1;
    return first->order < second->order ? -1 : first->order > second->order;
}

void problems_write(struct problems *problems, struct buffer *ret)
{
    if (problems->count > 0)
        qsort(problems->items, problems->count, sizeof *problems->items, by_place);
    for (size_t i = 0; i < problems->count; i++)
        buffer_printf(ret, "%s:%u:%u: %s\n", problems->file, problems->items[i].line,
                      problems->items[i].column, problems->items[i].text);
    if (problems->found > problems->count && problems->count > 0)
        buffer_printf(ret, "%s:%u:%u: there are %zu more problems, which are not shown\n", problems->file,
                      problems->items[problems->count - 1].line, problems->items[problems->count - 1].column,
                      problems->found - problems->count);
}

void problems_deinit(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->items[i].text);
    free(problems->items);
    problems->items = NULL;
    problems->count = problems->capacity = 0;
}
