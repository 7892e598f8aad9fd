/* layout_tables.h - the rows that layout_compose() puts together; one table a struct. */
#ifndef ALLOCATOR_GLIBC_LAYOUT_TABLES_H
#define ALLOCATOR_GLIBC_LAYOUT_TABLES_H

#include "allocator/glibc/layout.h"

/** A row holds from glibc 2.@since on, until the next row of the table. [0] is for words of 8, [1] of 4. */
struct state_row {
    unsigned since;
    struct state_layout words[2];
};
struct par_row {
    unsigned since;
    struct par_layout words[2];
};
struct heap_row {
    unsigned since;
    struct heap_layout words[2];
};
struct tcache_row {
    unsigned since;
    struct tcache_layout words[2];
};

/** Rows of each struct by rising @since, and how many there are. */
extern const struct state_row LAYOUT_STATES[];
extern const struct par_row LAYOUT_PARS[];
extern const struct heap_row LAYOUT_HEAPS[];
extern const struct tcache_row LAYOUT_TCACHES[];
extern const unsigned LAYOUT_STATE_ROWS, LAYOUT_PAR_ROWS, LAYOUT_HEAP_ROWS, LAYOUT_TCACHE_ROWS;

#endif
