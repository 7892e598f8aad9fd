/*
 * marks.h - which chunks the lists hold: a map of 2 bits for each place where a chunk can begin, over a slice
 * of the segments' joined address space, in fixed memory.
 *
 * A chunk in a tcache or fastbin looks in use to the linear walk, and one in the unsorted list looks binned:
 * the lists are followed first (lists.h) and leave their marks here. 8 MiB cover 512 MiB of heap; a larger
 * heap is walked in slices. What was marked first is kept while it is little, and fills the map for the next
 * slice; else the lists are followed again for each slice that they have members in. Pages of the map without
 * a mark are never read: a page costs most when it is touched first, and most heaps have few marks.
 */
#ifndef ALLOCATOR_GLIBC_MARKS_H
#define ALLOCATOR_GLIBC_MARKS_H

#include "allocator/glibc/heap.h"
#include "base/reserve.h"

/* MARK_SIDE: unsorted, or binned where the arena's are_bins_marked says so; see lists.h */
enum mark { MARK_NONE, MARK_TCACHE, MARK_FASTBIN, MARK_SIDE };

#define MARKS_MAP_BYTES (8u * 1024u * 1024u)
/* for a heap of less than 128 MiB; kept from scan to scan */
#define MARKS_MAP_LEAST_BYTES (2u * 1024u * 1024u)
#define MARKS_PAGE_BYTES 4096u
/* 1 MiB, where there are that many */
#define MARKS_KEPT_MAX (128u * 1024u)

struct marks {
    const struct glibc_heap *heap;
    const struct marks *whole; /* it has its counts from there; NULL: they are its own */
    uint64_t *map;
    size_t map_bytes;
    struct spare_map *spare; /* where a map of the least size comes from and goes to; may be NULL */
    /* of the map, by bits: all others are zero */
    uint64_t marked_pages[MARKS_MAP_BYTES / MARKS_PAGE_BYTES / 64];
    unsigned shift;       /* log2 of the distance of two places */
    uint64_t slice_bytes; /* of virtual address space in one map */
    uint64_t slice;       /* the one that the map holds now */
    uint64_t slice_count;
    uint64_t *slice_marks; /* how many marks each slice has, once all lists were followed */
    bool is_counted;
    uint64_t *kept; /* what was marked while is_counted was false: place * 4 + mark */
    size_t kept_count;
    bool is_kept_whole; /* all marks are in kept */
};

/**
 * A map for the segments of @heap, which must outlive it; a small one is of @spare, which may be NULL.
 * marks_deinit() ends it. STATUS_NO_MEMORY.
 */
enum status marks_init(struct marks *marks, const struct glibc_heap *heap, struct spare_map *spare,
                       struct error *err) must_check;
void marks_deinit(struct marks *marks);

/**
 * Let @marks, which has a map and nothing else, or served before, serve the heap of @whole: all lists were
 * followed there, and what that told is @whole's. A slice must be begun next. marks_deinit() is not for it.
 */
void marks_serve(struct marks *marks, const struct marks *whole);

/** Empty the map and let it stand for @slice. */
void marks_begin_slice(struct marks *marks, uint64_t slice);

/**
 * Mark the chunk at @address in @segment; counts it for its slice while is_counted is false. False: it has a
 * mark already, or is no place where a chunk can begin.
 */
bool marks_set(struct marks *marks, const struct glibc_segment *segment, uint64_t address, enum mark mark);

/** Fill the map from what was kept; false: not all of it was. */
bool marks_refill(struct marks *marks);

/** Whether the slice held has any mark. */
bool marks_has_any(const struct marks *marks);

/**
 * Whether it can have any in [@from, @to), which begins in @segment, as far as that lies in both; by pages of
 * the map.
 */
bool marks_may_be_in(const struct marks *marks, const struct glibc_segment *segment, uint64_t from,
                     uint64_t to);

/** The smallest marked address in [@from, @to) of @segment and the slice held; 0: none. */
uint64_t marks_next(const struct marks *marks, const struct glibc_segment *segment, uint64_t from,
                    uint64_t to);

/** Slice of a place in a segment. */
static inline uint64_t marks_slice_of(const struct marks *marks, const struct glibc_segment *segment,
                                      uint64_t address)
{
    return (segment->virtual_start + (address - segment->start)) / marks->slice_bytes;
}

/** First address of @segment behind the slice that holds @address. */
static inline uint64_t marks_slice_end(const struct marks *marks, const struct glibc_segment *segment,
                                       uint64_t address)
{
    uint64_t slice = marks_slice_of(marks, segment, address);
    return segment->start + ((slice + 1) * marks->slice_bytes - segment->virtual_start);
}

/** Where the map's knowledge of @segment ends: a live heap may have grown beyond it. */
static inline uint64_t marks_segment_end(const struct glibc_segment *segment)
{
    return segment->start + segment->virtual_bytes;
}

/** Place in the map of @address, which lies in @segment and in the slice held. */
static inline uint64_t marks_place_of(const struct marks *marks, const struct glibc_segment *segment,
                                      uint64_t address)
{
    return (segment->virtual_start + (address - segment->start) - marks->slice * marks->slice_bytes) >>
           marks->shift;
}

/** The mark of the chunk at @address, which lies in @segment and in the slice held. */
static inline enum mark marks_get(const struct marks *marks, const struct glibc_segment *segment,
                                  uint64_t address)
{
    uint64_t place = marks_place_of(marks, segment, address);
    return (enum mark)(marks->map[place / 32] >> (place % 32 * 2) & 3);
}

#endif
