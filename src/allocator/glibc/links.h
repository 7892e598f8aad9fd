/*
 * links.h - the links of free chunks, noted by the linear walk: they tell unsorted chunks from binned ones
 * where both lists are long.
 *
 * Following a long list through another process costs a random read a member, many times what the walk
 * itself costs. The walk has every free chunk under its eyes anyway: it notes where each links to, and behind
 * it the unsorted list is followed in our own memory. Only for sums: a dump has to know before.
 */
#ifndef ALLOCATOR_GLIBC_LINKS_H
#define ALLOCATOR_GLIBC_LINKS_H

#include "allocator/glibc/heap.h"
#include "analysis/totals.h"

/** Most memory that the notes of one libc take: 2 million free chunks. */
#define LINKS_BYTES_MAX (32u * 1024u * 1024u)

/** Whether links can be noted for this heap: its places fit. */
bool links_are_possible(const struct glibc_heap *heap);

/** Room for notes, to be ended by links_deinit(). STATUS_NO_MEMORY. */
enum status links_init(struct links *links, struct error *err) must_check;
void links_deinit(struct links *links);

/** Add the @count rows from @first on of @part, whose places lie behind those of @links. */
void links_append(struct links *links, const struct links *part, size_t first, size_t count);

/** Make room for the notes of @heap. */
enum status links_begin(struct glibc_heap *heap, struct error *err) must_check;

/**
 * Note the free chunk at @address of @segment, whose fd is @fd; chunks come by rising address. Where there is
 * no more room heap->links.is_full says so, and the pass has to be made again in the other way.
 */
void links_note(struct glibc_heap *heap, const struct glibc_segment *segment, uint64_t address, uint64_t size,
                uint64_t fd);

/**
 * Behind the walk: follow the unsorted list of each arena that has are_links_noted, and sort the sums of the
 * free chunks, in the bins and in @totals, into unsorted and binned ones. A list that leads to what was no
 * free chunk is noted as broken; what it did not reach counts as binned.
 */
void links_settle(struct glibc_heap *heap, struct totals *totals);

/** Free what links_begin() made. */
void links_end(struct glibc_heap *heap);

#endif
