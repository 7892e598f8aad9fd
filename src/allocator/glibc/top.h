/*
 * top.h - the end of an arena's chain: its top chunk, also while a piece is being cut off it.
 *
 * malloc cuts by three stores (malloc.c, _int_malloc, use_top): the arena's word for top, the header of the
 * piece, that of the new top. A thread that stands between two of them leaves a chain that is sound up to the
 * piece.
 */
#ifndef ALLOCATOR_GLIBC_TOP_H
#define ALLOCATOR_GLIBC_TOP_H

#include "allocator/glibc/walk_chain.h"

/**
 * The bytes of a top chunk at @address whose size field is @field; 0: no header of a top chunk, by what
 * glibc itself asserts of one (malloc.c, sysmalloc).
 */
uint64_t top_bytes_of(const struct glibc_heap *heap, uint64_t address, uint64_t field);

/** Whether the header that @chain stands at, as it was read, awaits one of the stores: it is that of the old
 * top, or lies where top is and is none. */
bool top_is_unfinished(const struct walk_chain *chain);

/**
 * Whether the chunk that @chain stands at, where it broke, is the piece that is being cut off. The books must
 * have been read before the chunk, and the marks held be those of its slice.
 */
bool top_is_piece_at(const struct walk_chain *chain);

/** Hand on that piece, which is in use, and stand at top. False: top cannot be read any more. */
bool top_pass_piece(struct walk_chain *chain);

/** Arrived at top: hand it on, to the end of the segment, or count that as unread where it has no header. */
void top_take(struct walk_chain *chain);

#endif
