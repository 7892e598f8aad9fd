/* guard.h - put an input right against an unmapped page, so that any read past its end faults. */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stddef.h>

/** A copy of @length bytes at @data whose end is the end of readable memory. Never freed. */
void *guard_copy(const void *data, size_t length);

#endif
