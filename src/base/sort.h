/* sort.h - sorting without memory of its own, which qsort(3) may ask for. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/** As qsort(3), in place; rows that compare equal come in any order. */
void sort_rows(void *rows, size_t count, size_t row_bytes,
               int (*compare)(const void *left, const void *right));

#endif
