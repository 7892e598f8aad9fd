/* cells.h - the programs and settings of the matrix, a row each. */
#ifndef GLIBC_MATRIX_CELLS_H
#define GLIBC_MATRIX_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#define CELL_ARGUMENTS_MAX 10
#define CELL_ENVIRONMENT_MAX 3

/** One program in one state. */
struct cell {
    const char *name;
    const char *program;                           /* of tests/targets */
    const char *link;                              /* "", "-static", "-static-pie" */
    const char *arguments[CELL_ARGUMENTS_MAX + 1]; /* NULL-ended */
    const char *environment[CELL_ENVIRONMENT_MAX + 1];
    bool is_without_list; /* only sums: usable sizes are not those of the chunks */
    bool is_list_partial; /* the C library allocates more for itself */
    unsigned since;       /* minor version of the glibc that has what is tested */
    bool is_short;        /* part of the short form */
};

extern const struct cell CELLS[];
extern const size_t CELL_COUNT;

#endif
