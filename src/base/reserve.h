/*
 * reserve.h - memory that is asked for beforehand, for stretches in which none may be asked for: while a
 * target stands still.
 *
 * All that such a stretch allocates it takes by reserve_calloc() and reserve_resize(). With a reserve in
 * force on the thread they take from it, and make no system call; without one they are calloc(3) and
 * realloc(3). What is given back is used again from the end backwards: meant for memory that is freed in
 * about the reverse order. A forked child has none of it (MADV_DONTFORK), so that no page of it has to be
 * copied when it is written to afterwards.
 */
#ifndef BASE_RESERVE_H
#define BASE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct reserve_block;

/** Zero-initialise. One thread at a time uses it: from reserve_enter() to reserve_forget() or
 * reserve_deinit(). */
struct reserve {
    uint8_t *data; /* all of it in memory and zero behind @touched */
    size_t room;
    size_t used, touched, peak; /* bytes from @data: now, since prepared, at most */
    struct reserve_block *last;
    bool is_exceeded; /* something asked for did not fit, since prepared */
    struct reserve *next;
};

/**
 * Make it @bytes large, or larger, and empty: nothing of it may be in use. It is brought into memory at once;
 * @is_measured: not, for it only shows by its peak what is needed. STATUS_NO_MEMORY.
 */
enum status reserve_prepare(struct reserve *reserve, size_t bytes, bool is_measured,
                            struct error *err) must_check;

/** Give its memory back; nothing of it may be in use. */
void reserve_deinit(struct reserve *reserve);

/** Take memory from @reserve on this thread from here on; NULL: from the system. Returns what was before. */
struct reserve *reserve_enter(struct reserve *reserve);

/** This thread has nothing of it any more, and another may enter it. */
void reserve_forget(struct reserve *reserve);

/** As calloc(3): zeros, and NULL where there is no more. */
void *reserve_calloc(size_t count, size_t bytes);

/**
 * @bytes of zeros, given back by reserve_unmap() alone: without a reserve a mapping of its own, so that large
 * memory goes back to the system at once. @is_huge: it is touched all over, so huge pages are worth their
 * room. NULL where there is no more.
 */
void *reserve_map(size_t bytes, bool is_huge);
void reserve_unmap(void *memory, size_t bytes);

/**
 * A mapping kept for whoever wants as much next: its pages are in memory already. Zero-initialise; one thread
 * at a time.
 */
struct spare_map {
    void *memory;
    size_t bytes;
};

/**
 * As reserve_map(), or what @spare keeps, where that is as large: it holds what its last owner left there.
 * NULL is allowed for @spare. It is given back by spare_map_give() alone.
 */
void *spare_map_take(struct spare_map *spare, size_t bytes);
void spare_map_give(struct spare_map *spare, void *memory, size_t bytes);
void spare_map_deinit(struct spare_map *spare);

/**
 * Bring @bytes of what reserve_map() gave into memory in one call, so that no page faults later. Before Linux
 * 5.14 it does nothing (madvise(2), MADV_POPULATE_WRITE).
 */
void reserve_bring_in(void *memory, size_t bytes);

/** As realloc(3), from @old_bytes to @bytes. What is new is not zero. */
void *reserve_resize(void *memory, size_t old_bytes, size_t bytes);

/** As free(3), for memory of both kinds, also when another reserve or none is in force. */
void reserve_free(void *memory);

static inline void scoped_reserved_run(void *pointer)
{
    reserve_free(*(void **)pointer);
}
/** reserve_free() at the end of the scope. */
#define scoped_reserved __attribute__((cleanup(scoped_reserved_run)))

#endif
