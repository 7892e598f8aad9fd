/* by_value.h - the order of numbers for qsort(3). */
#ifndef SUPPORT_BY_VALUE_H
#define SUPPORT_BY_VALUE_H

/** Of two uint64_t, as qsort(3) wants it: least first. */
int by_value(const void *left, const void *right);

#endif
