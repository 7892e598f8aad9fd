/*
 * layout_told.h - a layout for a glibc newer than every row: the newest rows, corrected by what its debug
 * file says.
 */
#ifndef ALLOCATOR_GLIBC_LAYOUT_TOLD_H
#define ALLOCATOR_GLIBC_LAYOUT_TOLD_H

#include "allocator/glibc/layout.h"
#include "allocator/symbol_source.h"

/** Offsets and sizes as DWARF has them (struct symbol_answer), hostile until they are proved on the heap. */
struct layout_told {
    bool is_known;
    int32_t offsets[FIELD_COUNT];
    int32_t sizes[STRUCT_COUNT];
};

/** Keep of @answer what concerns the layout. */
void layout_told_keep(const struct symbol_answer *answer, struct layout_told *ret);

/**
 * Put what was told into @layout, which was composed from rows. False, and @layout unchanged: the members
 * that a walk needs are not all there, or lie outside of their structs.
 */
bool layout_told_apply(const struct layout_told *told, struct glibc_layout *layout);

#endif
