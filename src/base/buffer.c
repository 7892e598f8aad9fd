/* buffer.c - see buffer.h. */
#include "base/buffer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/reserve.h"
#include "base/utf8.h"

void buffer_deinit(struct buffer *buffer)
{
    reserve_free(buffer->data);
    *buffer = (struct buffer){0};
}

/* Room for @extra bytes and a NUL; false (and failed set) where memory is short. */
static bool buffer_reserve(struct buffer *buffer, size_t extra)
{
    if (buffer->failed)
        return false;
    if (extra < buffer->capacity - buffer->length)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    while (capacity - buffer->length <= extra) {
        if (capacity > SIZE_MAX / 2) {
            buffer->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *data = reserve_resize(buffer->data, buffer->length, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
    if (length == 0 || !buffer_reserve(buffer, length))
        return;
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int needed = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (needed >= 0 && buffer_reserve(buffer, (size_t)needed)) {
        vsnprintf(buffer->data + buffer->length, (size_t)needed + 1, format, again);
        buffer->length += (size_t)needed;
    }
    va_end(again);
}

void buffer_u64(struct buffer *buffer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buffer_append(buffer, digits + at, sizeof digits - at);
}

/* Controls above ASCII, and what ends a line for some readers: NEL among them, U+2028 and U+2029. */
static bool is_separator(const char *text, size_t length)
{
    unsigned code = length > 1 ? utf8_code_point(text, length) : 0;
    return (code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

void buffer_json_escaped(struct buffer *buffer, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = utf8_sequence_length(text, left);
        unsigned char byte = (unsigned char)*text;
        if (length == 0) {
            buffer_text(buffer, "\xef\xbf\xbd");
            length = 1;
        } else if (byte == '"' || byte == '\\') {
            buffer_printf(buffer, "\\%c", byte);
        } else if (byte < 0x20 || byte == 0x7f) {
            buffer_printf(buffer, "\\u%04x", byte);
        } else if (is_separator(text, length)) {
            buffer_printf(buffer, "\\u%04x", utf8_code_point(text, length));
        } else {
            buffer_append(buffer, text, length);
        }
        text += length;
        left -= length;
    }
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
}

const char *buffer_string(struct buffer *buffer)
{
    if (!buffer_reserve(buffer, 1))
        return "";
    buffer->data[buffer->length] = '\0';
    return buffer->data;
}

enum status buffer_status(const struct buffer *buffer, struct error *err)
{
    return buffer->failed ? error_set(err, STATUS_NO_MEMORY, "out of memory") : STATUS_OK;
}
