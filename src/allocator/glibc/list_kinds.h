/* list_kinds.h - what glibc's kinds of lists are: where each begins, how its members are linked, which sizes
 * they have. */
#ifndef ALLOCATOR_GLIBC_LIST_KINDS_H
#define ALLOCATOR_GLIBC_LIST_KINDS_H

#include "allocator/glibc/list_engine.h"

enum list_kind { LIST_TCACHE, LIST_FASTBIN, LIST_BIN };

/** Set @ret to the begin of a fastbin, or of bin @bin (1: unsorted), of @arena; its owner is the caller's. */
void list_set_fastbin(const struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                      struct list_cursor *ret);
void list_set_bin(const struct glibc_heap *heap, const struct glibc_arena *arena, unsigned bin,
                  struct list_cursor *ret);

/** Whether a chunk of @size bytes may lie in @cursor's list: fastbins and small tcache bins have one size, a
 * bin one class. */
bool list_has_size(const struct glibc_heap *heap, const struct list_cursor *cursor, uint64_t size);

/** The member behind the one that @cursor holds; since 2.32 singly linked lists store the pointer xor its own
 * place >> 12 (safe-linking). */
uint64_t list_next(const struct glibc_heap *heap, const struct list_cursor *cursor);

#endif
