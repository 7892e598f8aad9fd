/* malloc_structs.h - malloc's own structures, by the layout tables: where they are, what their members are.
 */
#ifndef INSPECT_MALLOC_STRUCTS_H
#define INSPECT_MALLOC_STRUCTS_H

#include "inspect/places.h"

/** A structure of malloc's at a place. */
struct malloc_struct {
    const char *name; /* "malloc_state", … */
    uint64_t address;
    uint64_t size_bytes;
};

/** A member: @count elements of @size_bytes from @offset on. */
struct malloc_member {
    const char *name;
    const char *type;
    int offset; /* bytes; LAYOUT_ABSENT: this glibc has none */
    unsigned size_bytes, count;
    bool is_pointer;
    bool is_list; /* an element that is 0 is an empty list, or the length of one */
};

#define MALLOC_MEMBERS_MAX 24

/** The structure of malloc's that contains @address; false: none that is known. */
bool malloc_struct_find(const struct places *places, uint64_t address, struct malloc_struct *ret);

/** Whether @name is one whose members the tables know. */
bool malloc_struct_is_known(const char *name);

/**
 * Its members by @layout into @members (MALLOC_MEMBERS_MAX); returns their number and puts the structure's
 * size into *@size_bytes.
 */
unsigned malloc_struct_members(const char *name, const struct glibc_layout *layout,
                               struct malloc_member *members, uint64_t *size_bytes);

#endif
