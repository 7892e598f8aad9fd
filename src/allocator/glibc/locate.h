/*
 * locate.h - find glibc's heap in a process from outside: main_arena, mp_, and each thread's tcache.
 *
 * Three independent ways: a signature (no symbols at all), .symtab, a separate debug file. What was found is
 * proved on the live heap before it is believed.
 */
#ifndef ALLOCATOR_GLIBC_LOCATE_H
#define ALLOCATOR_GLIBC_LOCATE_H

#include "allocator/allocator.h"
#include "allocator/cache.h"
#include "allocator/glibc/layout.h"
#include "allocator/symbol_source.h"
#include "snapshot/snapshot.h"
#include "target/target.h"

/** Where one libc of a process keeps its heap's books. Addresses are the target's; 0: not known. */
struct glibc_location {
    struct glibc_layout layout;
    uint64_t main_arena_addr;
    uint64_t mp_addr;
    uint64_t image_start, image_end; /* of the module: a tcache pointer into it means none */
    uint64_t bias;                   /* load address of the module less its link-time address */
    uint64_t tls_start, tls_size;    /* its PT_TLS image: link-time address, p_memsz */
    uint64_t tls_align;
    bool has_tcache_slot, has_thread_arena_slot;
    uint64_t tcache_slot, thread_arena_slot; /* offsets in PT_TLS */
    bool is_cold;                            /* malloc was never used there: no heap is a valid result */
    bool is_main_libc;                       /* the program's own, not a dlmopen'ed second one */
    enum found_by found_by;
    struct cache_key key; /* of the module */
    char version[32];     /* "2.36"; "" where not known */
};

/** The libcs found, the main one first, then in the order of their mappings; the caller frees @rows. */
struct glibc_locations {
    struct glibc_location *rows;
    size_t count, capacity;
};

/**
 * Find every glibc malloc in the process. STATUS_UNSUPPORTED: none; STATUS_INCONSISTENT: there is one, but
 * its heap does not agree with @maps (it may have grown since these were read); STATUS_TIMEOUT: not all was
 * searched by @deadline_ns (monotonic), or within a fixed number of reads. @symbols and @cache may be NULL.
 */
enum status glibc_locate(struct target *target, const struct maps *maps, struct symbol_source *symbols,
                         struct allocator_cache *cache, uint64_t deadline_ns, struct glibc_locations *ret,
                         struct error *err) must_check;

/** One thread's tcache as its pointer says: @address 0 where the thread has none. */
struct glibc_tcache {
    pid_t tid;
    uint64_t address;           /* of struct tcache_perthread_struct */
    uint64_t thread_arena_addr; /* 0: not known or none */
};

/** All threads' tcaches; the caller frees @rows. @missing: threads whose tcache pointer could not be found.
 */
struct glibc_tcaches {
    struct glibc_tcache *rows;
    size_t count;
    size_t missing;
};

/**
 * Find each thread's tcache without stopping it (get_robust_list(2), PT_TLS, the slot). Learns the slots into
 * @location and @cache where they are not known yet.
 */
enum status glibc_find_tcaches(struct target *target, const struct maps *maps,
                               struct glibc_location *location, struct allocator_cache *cache,
                               struct glibc_tcaches *ret, struct error *err) must_check;

#endif
