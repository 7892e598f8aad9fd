/* input.h - the bytes that a fuzzer gives, read as numbers; behind the end there are only zeros. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *data;
    size_t left;
};

static inline uint8_t input_u8(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->data++;
}

static inline uint16_t input_u16(struct input *input)
{
    uint16_t low = input_u8(input);
    return (uint16_t)(low | input_u8(input) << 8);
}

static inline uint64_t input_u64(struct input *input)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)input_u8(input) << (8 * i);
    }
    return value;
}

#endif
