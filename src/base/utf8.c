/* utf8.c - see utf8.h. */
#include "base/utf8.h"

#include <string.h>

size_t utf8_sequence_length(const char *text, size_t available)
{
    const unsigned char *s = (const unsigned char *)text;
    if (available == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length > available)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* the second byte rules out overlong forms, surrogates and what lies beyond U+10FFFF */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

unsigned utf8_code_point(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned code = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (s[i] & 0x3fu);
    return code;
}

void utf8_clean(char *target, size_t size, const char *source)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd";
    size_t used = 0, left = strlen(source);
    while (left > 0) {
        size_t length = utf8_sequence_length(source, left);
        const char *from = length ? source : REPLACEMENT;
        size_t add = length ? length : 3;
        if (used + add + 1 > size)
            break;
        memcpy(target + used, from, add);
        used += add;
        size_t step = length ? length : 1;
        source += step;
        left -= step;
    }
    if (size > 0)
        target[used] = '\0';
}
