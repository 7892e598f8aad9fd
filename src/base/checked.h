/* checked.h - arithmetic on numbers that others wrote: nothing wraps unseen. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/** *@sum = @a + @b; false (and *@sum untouched) where that wraps. */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    uint64_t value;
    if (__builtin_add_overflow(a, b, &value))
        return false;
    *sum = value;
    return true;
}

/** *@product = @a * @b; false (and *@product untouched) where that wraps. */
static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *product)
{
    uint64_t value;
    if (__builtin_mul_overflow(a, b, &value))
        return false;
    *product = value;
    return true;
}

/** @value rounded down to a multiple of @alignment, a power of two. */
static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

/** @value rounded up to a multiple of @alignment, a power of two; UINT64_MAX - alignment + 2 … wraps to 0. */
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return align_down(value + alignment - 1, alignment);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment) /* a power of two */
{
    return (value & (alignment - 1)) == 0;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b) /* the smaller */
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b) /* the larger */
{
    return a > b ? a : b;
}

/** |@a - @b| without a sign. */
static inline uint64_t distance_u64(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

#endif
