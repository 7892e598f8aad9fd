/*
 * name_index.h - which rows of a table may have a name, without a look at each row.
 *
 * It keeps digests of names and no name, so the table may lie where others write: the caller compares the
 * name of each row that it is told. A row has one name at a time. Names that were made to share a digest cost
 * what a look at each of their rows costs, and nothing else.
 */
#ifndef BASE_NAME_INDEX_H
#define BASE_NAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** No row. */
#define NAME_INDEX_END SIZE_MAX

/** Zero-initialise; name_index_deinit() ends it. It holds a few words for each row up to the highest put. */
struct name_index {
    struct name_index_row *rows;
    size_t *heads; /* of the chain of each digest modulo @capacity */
    size_t capacity;
};

/** Row @row, which must have none, has the name @name. False, and all as it was: no memory. */
bool name_index_put(struct name_index *index, size_t row, const char *name);

/** Row @row has no name any more. False: it had none. */
bool name_index_remove(struct name_index *index, size_t row);

/**
 * The rows that may be called @name, in any order: one, and the one after @row. NAME_INDEX_END: there are no
 * more. Told in vain is only a row whose name has the same digest of 64 bits.
 */
size_t name_index_first(const struct name_index *index, const char *name);
size_t name_index_next(const struct name_index *index, size_t row);

void name_index_deinit(struct name_index *index);

#endif
