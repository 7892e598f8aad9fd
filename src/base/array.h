/* array.h - a growing array of rows: the one way to make room for another. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Make room for a row behind the @count that the array holds: array_room(&rows, count, &capacity). Rows may
 * move; NULL with a capacity of 0 is an empty array, free() ends it (reserve_free() where a reserve may be in
 * force). False, and all as it was: no memory.
 */
#define array_room(rows, count, capacity) array_room_bytes((rows), (count), (capacity), sizeof **(rows))

/**
 * array_room() for an array that has an order, and the row at @at and those behind it one place further:
 * array_gap(&rows, &count, &capacity, at). The row at @at is the caller's to write.
 */
#define array_gap(rows, count, capacity, at) \
    array_gap_bytes((rows), (count), (capacity), (at), sizeof **(rows))

/** What array_room() does: *@rows is a pointer to rows of @row_bytes each. */
bool array_room_bytes(void *rows, size_t count, size_t *capacity, size_t row_bytes);
/** What array_gap() does. */
bool array_gap_bytes(void *rows, size_t *count, size_t *capacity, size_t at, size_t row_bytes);

#endif
