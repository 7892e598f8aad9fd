/* word.h - words of a program that may be narrower than ours. */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdint.h>

/** A word of @word_bytes (8 or 4) at @data; a constant there makes a loop without a question. */
static inline __attribute__((always_inline)) uint64_t word_of(const uint8_t *data, unsigned word_bytes)
{
    if (word_bytes == 8) {
        uint64_t word;
        __builtin_memcpy(&word, data, sizeof word);
        return word;
    }
    uint32_t word;
    __builtin_memcpy(&word, data, sizeof word);
    return word;
}

#endif
