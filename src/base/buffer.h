/*
 * buffer.h - a growing run of bytes for output.
 *
 * Writers append without looking at errors; the first failed allocation sticks, later appends do nothing,
 * and buffer_status() tells at the end.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** @data holds @length bytes (not NUL-terminated; see buffer_string). Zero-initialise before use. */
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
};

/** Free what it holds and make it empty. */
void buffer_deinit(struct buffer *buffer);
#define scoped_buffer scoped(buffer_deinit)

void buffer_append(struct buffer *buffer, const void *data, size_t length); /* bytes */
void buffer_text(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_u64(struct buffer *buffer, uint64_t value);

/**
 * Append @text as the inside of a JSON string (no quotes): RFC 8259 escapes, and bytes that are not UTF-8
 * become U+FFFD, so that the result is always valid. All control characters and line separators are escaped.
 */
void buffer_json_escaped(struct buffer *buffer, const char *text);

/** Keep the memory, forget the contents. */
void buffer_clear(struct buffer *buffer);

/** The contents as a C string (a NUL is put behind them), "" where an allocation failed. */
const char *buffer_string(struct buffer *buffer);

/** STATUS_OK, or STATUS_NO_MEMORY where an append was lost. */
enum status buffer_status(const struct buffer *buffer, struct error *err) must_check;

#endif
