/* array.c - see array.h. */
#include "base/array.h"

#include <stdint.h>
#include <string.h>

#include "base/checked.h"
#include "base/reserve.h"

#define CAPACITY_FIRST 8u

bool array_room_bytes(void *rows, size_t count, size_t *capacity, size_t row_bytes)
{
    if (count < *capacity)
        return true;
    if (*capacity > SIZE_MAX / 2)
        return false;
    size_t larger = *capacity ? 2 * *capacity : CAPACITY_FIRST;
    uint64_t bytes;
    void *old;
    memcpy(&old, rows, sizeof old); /* a pointer of whatever type */
    if (!checked_mul(larger, row_bytes, &bytes) || bytes > PTRDIFF_MAX)
        return false;
    void *moved = reserve_resize(old, count * row_bytes, bytes);
    if (!moved)
        return false;
    memcpy(rows, &moved, sizeof moved);
    *capacity = larger;
    return true;
}

bool array_gap_bytes(void *rows, size_t *count, size_t *capacity, size_t at, size_t row_bytes)
{
    uint8_t *first;
    if (!array_room_bytes(rows, *count, capacity, row_bytes))
        return false;
    memcpy(&first, rows, sizeof first);
    memmove(first + (at + 1) * row_bytes, first + at * row_bytes, (*count - at) * row_bytes);
    ++*count;
    return true;
}
