/*
 * cache.h - what was learnt of libcs, by file, and the memory that the last scan worked in: see struct
 * allocator_cache in allocator.h.
 */
#ifndef ALLOCATOR_CACHE_H
#define ALLOCATOR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "allocator/allocator.h"
#include "allocator/glibc/layout_told.h"
#include "base/reserve.h"

#define CACHE_BUILD_ID_MAX 64u

/**
 * Which file: its build-id, and device and inode of the mapping. A build-id can be forged: what a hostile
 * file teaches must not be told of another file that has the true one.
 */
struct cache_key {
    uint8_t build_id[CACHE_BUILD_ID_MAX];
    uint32_t build_id_length; /* 0: it has none, and is not kept */
    uint32_t device_major, device_minor;
    uint64_t inode;
};

/** One libc. Addresses are link-time ones; slots are offsets in PT_TLS. @main_arena 0: none was found. */
struct cache_entry {
    struct cache_key key;
    uint64_t main_arena, mp;
    unsigned minor;
    char version[32];
    bool has_tcache_slot, has_thread_arena_slot;
    uint64_t tcache_slot, thread_arena_slot;
    struct layout_told told; /* by symbols, for a glibc newer than the rows */
    enum found_by found_by;
    uint64_t silent_until_ns;       /* its symbols named nothing: not asked again until then (monotonic) */
    uint64_t other_silent_until_ns; /* likewise for the symbols of other allocators */
    uint64_t used;                  /* a rising number: the smallest goes first */
};

/** The entry of a file, or NULL. @cache may be NULL. Valid until the next cache_put(). */
struct cache_entry *cache_get(struct allocator_cache *cache, const struct cache_key *key);

/** Keep a copy of @entry; the one used longest ago makes room. @cache may be NULL; one without build-id is
 * not kept. */
void cache_put(struct allocator_cache *cache, const struct cache_entry *entry);

/** Memory of which each scan needs as much: it stays for the next. */
enum cache_spare { SPARE_WINDOW, SPARE_MARKS, SPARE_COUNT };

/** Where @cache keeps it; NULL for NULL. */
struct spare_map *cache_spare(struct allocator_cache *cache, enum cache_spare which);

#endif
