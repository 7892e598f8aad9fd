/* sort.c - see sort.h: heapsort, whose time has a bound whatever the rows are. */
#include "base/sort.h"

#include <stdint.h>

struct rows {
    uint8_t *data;
    size_t row_bytes;
    int (*compare)(const void *left, const void *right);
};

static uint8_t *row(const struct rows *rows, size_t index)
{
    return rows->data + index * rows->row_bytes;
}

static void swap(const struct rows *rows, size_t left, size_t right)
{
    uint8_t *a = row(rows, left), *b = row(rows, right);
    for (size_t i = 0; i < rows->row_bytes; i++) {
        uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

/* Let the row at @at sink until none of the two below it is larger. */
static void sink(const struct rows *rows, size_t at, size_t count)
{
    for (size_t below; (below = 2 * at + 1) < count; at = below) {
        if (below + 1 < count && rows->compare(row(rows, below), row(rows, below + 1)) < 0)
            below++;
        if (rows->compare(row(rows, at), row(rows, below)) >= 0)
            return;
        swap(rows, at, below);
    }
}

void sort_rows(void *data, size_t count, size_t row_bytes,
               int (*compare)(const void *left, const void *right))
{
    const struct rows rows = {.data = data, .row_bytes = row_bytes, .compare = compare};
    for (size_t at = count / 2; at-- > 0;)
        sink(&rows, at, count);
    for (size_t last = count; last-- > 1;) {
        swap(&rows, 0, last);
        sink(&rows, 0, last);
    }
}
