/*
 * problems.h - what is wrong with a configuration: all of it, in the order of the file.
 *
 * The parts of a file are not looked at in their order (the defaults of scans come before the entries that
 * override them), so that problems are collected and sorted before they are written.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/** More than these are counted, not shown. */
#define PROBLEMS_SHOWN_MAX 1000

/** Problems of one file. @file is the caller's. Zero-initialise but @file. */
struct problems {
    const char *file;
    struct problem {
        unsigned line, column; /* from 1 */
        size_t order;
        char *text;
    } * items;
    size_t count, capacity; /* of @items */
    size_t found;           /* with those that are only counted */
    bool no_memory;
};

/** A text of the file, fit for a message: one line, short, its control characters as \xNN. */
struct problems_shown {
    char text[96];
};

/** Note that something is wrong at @line and @column: what, and what is allowed. */
void problems_add(struct problems *problems, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** @text (@length bytes) as it is shown in messages; the result lives in the caller's expression. */
struct problems_shown problems_show(const char *text, size_t length);

/** Append the problems to @ret, a line each, "FILE:LINE:COLUMN: text", in the file's order. */
void problems_write(struct problems *problems, struct buffer *ret);

void problems_deinit(struct problems *problems);
#define scoped_problems scoped(problems_deinit)

#endif
