/*
 * window.h - a heap read in large windows: one copy, forward only, never a page that is not in memory.
 *
 * The window moves to where the next header is needed; what lies between is not read. Its length follows what
 * it is worth: WINDOW_BYTES while headers are dense, a few pages while chunks are large.
 */
#ifndef ALLOCATOR_GLIBC_WINDOW_H
#define ALLOCATOR_GLIBC_WINDOW_H

#include "allocator/glibc/heap.h"
#include "base/reserve.h"

/**
 * Reading alone is fastest in windows of 1 MiB; walked at once, a quarter of it is faster in sum, since it
 * still lies in the second-level cache.
 */
#define WINDOW_BYTES (256u * 1024u)

struct window {
    struct glibc_heap *heap;
    uint8_t *data;           /* WINDOW_BYTES, owned */
    struct spare_map *spare; /* where it comes from and goes to; may be NULL */
    uint64_t start, end;     /* target addresses held now */
    uint64_t length;         /* of the next read */
    uint64_t headers;        /* looked at in this window; the walker counts them here */
};

/** STATUS_NO_MEMORY, or ready, in memory of @spare, which may be NULL; window_deinit() ends it. */
enum status window_init(struct window *window, struct glibc_heap *heap, struct spare_map *spare,
                        struct error *err) must_check;
void window_deinit(struct window *window);

/**
 * Hold [@address, @address + @need), reading ahead at most to @limit. False: those pages are not in memory or
 * cannot be read (@need is at most a page).
 */
bool window_load(struct window *window, uint64_t address, uint64_t need, uint64_t limit);

/** Whether [@address, @address + @need) is held now. */
static inline bool window_has(const struct window *window, uint64_t address, uint64_t need)
{
    return address >= window->start && address + need <= window->end && address + need > address;
}

/** The bytes at @address, which the window must hold. */
static inline const uint8_t *window_at(const struct window *window, uint64_t address)
{
    return window->data + (address - window->start);
}

/** Forget the contents: the next load reads again. */
void window_forget(struct window *window);

/** Forget what was there, and how dense its headers were. */
void window_restart(struct window *window);

#endif
