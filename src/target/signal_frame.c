/* signal_frame.c - see signal_frame.h. */
#include "target/signal_frame.h"

#include <string.h>

/* Two words of the thread's width, @distance_words apart, that stand in a frame. */
struct mark {
    uint64_t first, second;
    size_t distance_words; /* 0: the first is enough */
};

#ifdef __aarch64__
static const struct mark WIDE = {.first = UINT64_C(0x0000021046508001)}; /* FPSIMD_MAGIC and its size */
static const struct mark NARROW = {.first = UINT64_MAX};
#else
static const struct mark WIDE = {.first = UINT64_C(0x002b000000000033)};                /* cs, gs, fs, ss */
static const struct mark NARROW = {.first = 0x23, .second = 0x2b, .distance_words = 3}; /* cs, ss */
#endif

static uint64_t word_at(const uint8_t *at, unsigned word_bytes)
{
    uint64_t wide;
    uint32_t narrow;
    if (word_bytes == sizeof narrow) {
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

bool signal_frame_is_in(const uint8_t *stack, size_t bytes, unsigned word_bytes)
{
    const struct mark *mark = word_bytes == sizeof(uint32_t) ? &NARROW : &WIDE;
    size_t distance = mark->distance_words * word_bytes;
    for (size_t at = 0; at + distance + word_bytes <= bytes; at += word_bytes)
        if (word_at(stack + at, word_bytes) == mark->first &&
            (distance == 0 || word_at(stack + at + distance, word_bytes) == mark->second))
            return true;
    return false;
}
