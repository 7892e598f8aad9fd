/* glibc.h - the walker of glibc's malloc (2.17 to 2.44). */
#ifndef ALLOCATOR_GLIBC_GLIBC_H
#define ALLOCATOR_GLIBC_GLIBC_H

#include "allocator/allocator.h"

/** The row of the registry in allocator.c. */
extern const struct allocator_ops glibc_allocator;

#endif
