/* signal_frame.c - see signal_frame.h. */
#include "target/signal_frame.h"

#include "base/word.h"

/* Two words of the thread's width, @distance_words apart, that stand in a frame. Of each architecture: what
 * is no frame on this one is rare enough. */
static const struct mark {
    unsigned word_bytes;
    size_t distance_words; /* 0: the first is enough */
    uint64_t first, second;
} MARKS[] = {
    {8, 0, UINT64_C(0x002b000000000033), 0}, /* x86-64: cs, gs, fs, ss */
    {8, 0, UINT64_C(0x0000021046508001), 0}, /* arm64: FPSIMD_MAGIC and its size */
    {4, 3, 0x23, 0x2b},                      /* x86: cs, ss */
};

static bool has_mark(const uint8_t *stack, size_t bytes, const struct mark *mark)
{
    unsigned word_bytes = mark->word_bytes;
    size_t distance = mark->distance_words * word_bytes;
    for (size_t at = 0; at + distance + word_bytes <= bytes; at += word_bytes)
        if (word_of(stack + at, word_bytes) == mark->first &&
            (distance == 0 || word_of(stack + at + distance, word_bytes) == mark->second))
            return true;
    return false;
}

bool signal_frame_is_in(const uint8_t *stack, size_t bytes, unsigned word_bytes)
{
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++)
        if (MARKS[i].word_bytes == word_bytes && has_mark(stack, bytes, &MARKS[i]))
            return true;
    return false;
}
