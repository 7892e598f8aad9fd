/*
 * chunk.h - a malloc chunk as the walk reports it, and what receives a stream of them.
 *
 * Plain data: nothing here knows glibc or a process.
 */
#ifndef MODEL_CHUNK_H
#define MODEL_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row a state: enumerator, name in metrics and dumps, whether it is free memory held by the allocator. */
#define CHUNK_STATE_TABLE(X)                                                             \
    X(IN_USE, "in_use", false)    /* handed to the program */                            \
    X(TCACHE, "tcache", true)     /* in a thread's cache */                              \
    X(FASTBIN, "fastbin", true)   /* in a fastbin (to glibc 2.42) */                     \
    X(UNSORTED, "unsorted", true) /* freed, not sorted into a bin yet */                 \
    X(SMALL, "small", true)       /* in a small bin */                                   \
    X(LARGE, "large", true)       /* in a large bin */                                   \
    X(TOP, "top", true)           /* an arena's last chunk, from which others are cut */ \
    X(MMAPPED, "mmapped", false)  /* a mapping of its own, handed to the program */

enum chunk_state {
#define X(name, label, is_free) CHUNK_##name,
    CHUNK_STATE_TABLE(X)
#undef X
        CHUNK_STATE_COUNT
};

/** "in_use" …; @state must be below CHUNK_STATE_COUNT. */
const char *chunk_state_name(enum chunk_state state);
/** Whether a chunk in @state is free memory that the allocator holds. */
bool chunk_state_is_free(enum chunk_state state);
/** The state called @name, or -1. */
int chunk_state_parse(const char *name);

/** `arena` of a chunk that belongs to none (mmapped). */
#define CHUNK_NO_ARENA UINT32_MAX

/**
 * One chunk. @address is that of its header (user address less two words); @size its bytes, header included;
 * for an mmapped chunk the bytes of its mapping as glibc's mmapped_mem counts them.
 */
struct chunk {
    uint64_t address;
    uint64_t size;
    uint32_t arena; /* index by age: 0 main, 1 the oldest other; or CHUNK_NO_ARENA */
    uint8_t state;  /* enum chunk_state */
    bool prev_in_use;
    uint8_t header_bytes; /* user address - address */
};

/**
 * A receiver of chunks. They come by rising address within one walk, in batches. @consume returns false to
 * end the walk (a limit reached, a client gone). @restart (NULL: the sink cannot) forgets all that came: the
 * walk begins anew, as it may under a stop that caught a thread inside malloc. @count_used takes @count
 * chunks in use that have one size, without their addresses and in no order: most chunks are small and in
 * use, and only their number is worth something. NULL: the sink wants each; one such sink makes all get each.
 */
struct chunk_sink {
    bool (*consume)(struct chunk_sink *sink, const struct chunk *chunks, size_t count);
    void (*restart)(struct chunk_sink *sink);
    void (*count_used)(struct chunk_sink *sink, uint32_t arena, uint64_t size, uint64_t count);
};

#endif
