/*
 * page_lock.h - keep in memory what runs while threads stand still: its code, the stack, its data. All that
 * is linked would be more than a usual limit of locked memory allows (mlock(2), RLIMIT_MEMLOCK).
 *
 * Beyond the limit a page may come in late, no more; so nothing fails here.
 */
#ifndef ROLES_HOLDER_PAGE_LOCK_H
#define ROLES_HOLDER_PAGE_LOCK_H

#include <stddef.h>

/** @bytes from @from on. */
void page_lock(const void *from, size_t bytes);

/** Our code around the function @code. */
void page_lock_code(const void *code);

/** The calls of the C library that hold and let go. */
void page_lock_calls(void);

#endif
