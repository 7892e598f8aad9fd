/*
 * heap.h - what a scan knows of one libc's heap: its books (arenas, mp_), its segments, and what the walk
 * found. Shared by the files of this folder; nothing outside includes it.
 */
#ifndef ALLOCATOR_GLIBC_HEAP_H
#define ALLOCATOR_GLIBC_HEAP_H

#include "allocator/glibc/locate.h"
#include "base/word.h"
#include "model/completeness.h"
#include "target/page_view.h"

#define GLIBC_BIN_COUNT 127 /* bins 1 … 126; index 0 unused */
#define GLIBC_FASTBIN_MAX 11
#define GLIBC_UNSORTED 1

#define CHUNK_PREV_IN_USE 1u
#define CHUNK_IS_MMAPPED 2u
#define CHUNK_NON_MAIN 4u
#define CHUNK_FLAGS 7u

/* From the size-0 header that closes an older sub-heap to its end, with words of 8 and of 4 bytes (malloc.c,
 * sysmalloc). */
#define HEAP_TERMINATOR_BYTES 16u

#define ARENA_NONCONTIGUOUS 2u /* malloc_state.flags */

/**
 * Sums over the free chunks that the walk saw in one bin. With the list's head they prove every member
 * without following the list: each member is pointed at once by an fd and once by a bk, so the sums of the
 * links equal the sum of the addresses (all modulo 2^64).
 */
struct bin_sums {
    struct tally tally;
    uint64_t min_bytes, max_bytes;
    uint64_t address_sum, fd_sum, bk_sum;
};

/** mp_ (struct malloc_par) as it was read. */
struct glibc_par {
    bool is_known;
    uint64_t trim_threshold, top_pad, mmap_threshold, arena_max, thp_pagesize, hp_pagesize;
    uint64_t n_mmaps, mmapped_mem, sbrk_base, tcache_count;
    uint64_t mremap_error_bytes; /* what each mremap adds to mmapped_mem and to no mapping; 0: nothing */
    bool has_fixed_thresholds;   /* no_dyn_threshold: somebody has set one */
};

/** An arena: a copy of its malloc_state, what that says, and what the walk sums up. */
struct glibc_arena {
    uint64_t addr;
    uint32_t ring_position;
    uint32_t index; /* by age */
    bool is_main;
    bool has_moved; /* live: its books changed while it was walked */
    bool is_lost;   /* part of it could not be walked: checks that need all of it are absent */
    uint8_t *state;
    uint32_t flags;
    uint32_t mutex;
    uint64_t top_addr;
    uint64_t top_bytes; /* 0: the initial top, or one without a header */
    bool is_top_initial;
    uint64_t system_bytes, system_peak_bytes;
    uint64_t system_bytes_before; /* as read first: in a live process the book moves */
    struct optional_u64 attached_threads;
    uint64_t fastbins[GLIBC_FASTBIN_MAX];
    uint32_t heaps;
    uint64_t heap_bytes, heap_mprotect_bytes; /* non-main */
    uint64_t overhead_bytes, unread_bytes;
    uint64_t walked_end_difference;
    struct bin_sums bins[GLIBC_BIN_COUNT];
    struct bin_sums fast[GLIBC_FASTBIN_MAX];
    bool are_bins_marked; /* the marks tell the binned chunks, else the unsorted ones */
    bool are_links_noted; /* neither: links.h tells them apart behind the walk */
};

/** A run of an arena's memory that is walked as one chain of chunks. */
struct glibc_segment {
    uint64_t base;  /* where the arena's memory begins: heap_info, or the run's first byte */
    uint64_t start; /* first chunk */
    uint64_t end;   /* end of the used part */
    uint64_t reserved_end;
    uint64_t virtual_start; /* in the marks' address space: behind the room of the segments before it */
    uint64_t virtual_bytes; /* its room there: more than it has, where it may grow */
    uint32_t arena;         /* index in heap->arenas */
    bool has_top;
    bool is_main;
};

struct link;
/** Links of free chunks as links.h keeps them; rows NULL: none are noted. */
struct links {
    struct link *rows;
    size_t count, room;
    bool is_full;
};

/** Everything of one scan of one libc. */
struct glibc_heap {
    struct target *target;
    const struct maps *maps;
    const struct glibc_layout *layout;
    struct glibc_location *location;
    bool is_held; /* the target stands still: what is broken is broken, not moving */
    bool read_swapped;
    uint64_t deadline_ns;
    uint64_t heap_max_bytes;
    struct glibc_par par;
    uint32_t index_offset;      /* arenas of the libcs before this one */
    struct glibc_arena *arenas; /* in ring order: [0] is main */
    size_t arena_count, arena_capacity;
    bool is_ring_closed;
    bool is_part_unread; /* an arena, a list or a book is missing: no bytes can be given for that */
    struct glibc_segment *segments; /* by address */
    size_t segment_count, segment_capacity;
    struct glibc_tcaches tcaches;
    struct tcache_numbers *tcache_numbers; /* one a row of tcaches */
    struct completeness completeness;
    uint32_t note_turns[COMPLETENESS_NOTES_MAX]; /* of each note kept: the turn in which it was made; see
                                                    lanes.h */
    struct page_view *pages;
    struct links links;
    struct tally mmapped;
    uint32_t orphans;
    bool are_bins_doubtful; /* under a stop: a chunk was caught on its way, the check of the bins says nothing
                             */
};

/** A word of @heap's width at @data. */
static inline uint64_t heap_word(const struct glibc_heap *heap, const uint8_t *data)
{
    return word_of(data, heap->layout->word_bytes);
}

/** Bytes of a chunk's header: prev_size and size. */
static inline uint64_t heap_header_bytes(const struct glibc_heap *heap)
{
    return 2u * heap->layout->word_bytes;
}

/** Address of the fake chunk that is the head of bin @bin of @arena. */
static inline uint64_t heap_bin_head(const struct glibc_heap *heap, const struct glibc_arena *arena,
                                     unsigned bin)
{
    unsigned word = heap->layout->word_bytes;
    return arena->addr + (uint64_t)heap->layout->state.bins + 2u * word * (bin - 1u) - 2u * word;
}

/** The head's fd (first chunk) and bk (last chunk) as the copied malloc_state has them. */
static inline uint64_t heap_bin_first(const struct glibc_heap *heap, const struct glibc_arena *arena,
                                      unsigned bin)
{
    unsigned word = heap->layout->word_bytes;
    return heap_word(heap, arena->state + heap->layout->state.bins + 2u * word * (bin - 1u));
}

static inline uint64_t heap_bin_last(const struct glibc_heap *heap, const struct glibc_arena *arena,
                                     unsigned bin) /* likewise */
{
    unsigned word = heap->layout->word_bytes;
    return heap_word(heap, arena->state + heap->layout->state.bins + 2u * word * (bin - 1u) + word);
}

/** The segment whose chunks can lie at @address, or NULL. */
const struct glibc_segment *heap_find_segment(const struct glibc_heap *heap, uint64_t address);

/** The segment that has @offset of the marks' address space; there must be one. */
const struct glibc_segment *heap_segment_at(const struct glibc_heap *heap, uint64_t offset);

/** Count one more member of a list. */
static inline void bin_sums_count(struct bin_sums *sums, uint64_t size)
{
    if (sums->tally.chunks++ == 0 || size < sums->min_bytes)
        sums->min_bytes = size;
    if (size > sums->max_bytes)
        sums->max_bytes = size;
    sums->tally.bytes += size;
}

/** Count a broken place: corruption where the target stands still or it was proved, else only a note. */
void heap_note_corrupt(struct glibc_heap *heap, enum note_kind kind, uint64_t address, uint32_t arena);

/** Free all arrays that it owns. */
void heap_deinit(struct glibc_heap *heap);

#endif
