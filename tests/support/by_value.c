/* by_value.c - see by_value.h. */
#include "support/by_value.h"

#include <stdint.h>

int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}
