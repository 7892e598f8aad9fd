/* utf8.h - where valid UTF-8 ends (RFC 3629): names in /proc may hold any byte. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/**
 * Length in bytes (1 to 4) of the valid UTF-8 sequence at @text, of which @available bytes may be looked at;
 * 0 where the byte begins none (overlong forms and surrogates included).
 */
size_t utf8_sequence_length(const char *text, size_t available);

/**
 * Copy @source into @target (@size bytes, NUL included), each byte that is not valid UTF-8 as U+FFFD; cut at
 * a character's boundary where it does not fit.
 */
void utf8_clean(char *target, size_t size, const char *source);

/** The code point of a sequence of @length bytes, as utf8_sequence_length() gave it (1 to 4). */
unsigned utf8_code_point(const char *text, size_t length);

#endif
