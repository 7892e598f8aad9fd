/* name_index.c - see name_index.h. */
#include "base/name_index.h"

#include <stdlib.h>

#include "base/cleanup.h"

#define CAPACITY_FIRST 64u

struct name_index_row {
    uint64_t digest;
    size_t next;
    bool has_name;
};

static uint64_t digest_of(const char *name) /* FNV-1a */
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        digest = (digest ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return digest;
}

static size_t *head_of(const struct name_index *index, uint64_t digest)
{
    return &index->heads[digest % index->capacity];
}

static void link_row(struct name_index *index, size_t row)
{
    size_t *head = head_of(index, index->rows[row].digest);
    index->rows[row].next = *head;
    *head = row;
}

/* As many chains as rows, so that a chain has about one. */
static bool grow(struct name_index *index, size_t capacity)
{
    scoped_free size_t *heads = calloc(capacity, sizeof *heads);
    scoped_free struct name_index_row *rows = calloc(capacity, sizeof *rows);
    if (!heads || !rows)
        return false;
    size_t count = index->capacity;
    for (size_t i = 0; i < count; i++)
        rows[i] = index->rows[i];
    for (size_t i = 0; i < capacity; i++)
        heads[i] = NAME_INDEX_END;
    name_index_deinit(index);
    *index = (struct name_index){take_ptr(rows), take_ptr(heads), capacity};
    for (size_t i = 0; i < count; i++)
        if (index->rows[i].has_name)
            link_row(index, i);
    return true;
}

static bool make_room(struct name_index *index, size_t row)
{
    size_t capacity = index->capacity ? index->capacity : CAPACITY_FIRST;
    while (capacity <= row) {
        if (capacity > SIZE_MAX / 2)
            return false;
        capacity *= 2;
    }
    return capacity == index->capacity || grow(index, capacity);
}

bool name_index_put(struct name_index *index, size_t row, const char *name)
{
    if (!make_room(index, row))
        return false;
    index->rows[row] = (struct name_index_row){.digest = digest_of(name), .has_name = true};
    link_row(index, row);
    return true;
}

bool name_index_remove(struct name_index *index, size_t row)
{
    if (row >= index->capacity || !index->rows[row].has_name)
        return false;
    size_t *at = head_of(index, index->rows[row].digest);
    while (*at != row)
        at = &index->rows[*at].next;
    *at = index->rows[row].next;
    index->rows[row].has_name = false;
    return true;
}

/* @row or the first behind it in its chain that has the digest. */
static size_t same_from(const struct name_index *index, size_t row, uint64_t digest)
{
    while (row != NAME_INDEX_END && index->rows[row].digest != digest)
        row = index->rows[row].next;
    return row;
}

size_t name_index_first(const struct name_index *index, const char *name)
{
    if (!index->capacity)
        return NAME_INDEX_END;
    uint64_t digest = digest_of(name);
    return same_from(index, *head_of(index, digest), digest);
}

size_t name_index_next(const struct name_index *index, size_t row)
{
    return same_from(index, index->rows[row].next, index->rows[row].digest);
}

void name_index_deinit(struct name_index *index)
{
    free(index->heads);
    free(index->rows);
    *index = (struct name_index){0};
}
