/*
 * places.h - what is where in a process: its mappings and what each is for, the libcs, threads and heaps.
 *
 * What is not known is left out: a process without glibc's malloc has mappings all the same.
 */
#ifndef INSPECT_PLACES_H
#define INSPECT_PLACES_H

#include "allocator/glibc/locate.h"
#include "allocator/glibc/threads.h"
#include "inspect/inspection.h"

/* What a mapping is for: enumerator, name. */
#define PLACE_TABLE(X)                                                                     \
    X(HEAP, "heap")           /* of the main arena */                                      \
    X(ARENA, "arena")         /* of another arena */                                       \
    X(MMAPPED, "mmapped")     /* holds chunks that are mappings of their own */            \
    X(STACK, "stack")         /* of a thread */                                            \
    X(CODE, "code")           /* of a file, executable */                                  \
    X(DATA, "data")           /* of a file, private and writable */                        \
    X(FILE, "file")           /* of a file, else */                                        \
    X(SHARED, "shared")       /* shared and writable: shared memory, files, devices */     \
    X(ANONYMOUS, "anonymous") /* of no file: what a program or another allocator mapped */ \
    X(RESERVED, "reserved")   /* address space without access: guards, room to grow */     \
    X(KERNEL, "kernel")       /* vdso, vvar, vsyscall */
enum place {
#define X(name, label) PLACE_##name,
    PLACE_TABLE(X)
#undef X
        PLACE_COUNT
};
const char *place_name(enum place place);

/** An address that is asked for, and the chunk that holds it. */
struct asked_address {
    uint64_t address;
    bool has_chunk;
    struct chunk chunk;
};

struct places {
    struct maps maps;
    uint8_t *kinds; /* enum place, one a row of maps */
    struct glibc_locations locations;
    struct thread_tls *threads;
    size_t thread_count;
    struct snapshot *snapshot; /* NULL: there is no glibc heap, or it could not be walked */
    struct error heap_error;   /* why not; without heaps asked for, why no libc was found */
    struct error thread_error; /* why threads, and so stacks, were not found; STATUS_OK: all were */
};

/**
 * Find them; @asked (by rising address) get the chunks that hold them. @with_heap false: the heaps are not
 * walked, so no kind is HEAP, ARENA or MMAPPED. places_deinit() ends *@ret.
 */
enum status places_find(const struct inspection *inspection, bool with_heap, struct asked_address *asked,
                        size_t count, struct places *ret, struct error *err) must_check;
void places_deinit(struct places *places);
#define scoped_places __attribute__((cleanup(places_deinit)))

/** The thread whose stack or TLS has @address; 0: none. The main thread's is the pid of a live process. */
pid_t places_thread_of(const struct places *places, const struct target *target, uint64_t address);

/** How many threads have their pointer, and as a rule their stack, in @mapping. */
unsigned places_threads_in(const struct places *places, const struct mapping *mapping);

/** The index of the arena whose memory has @address; CHUNK_NO_ARENA: none. */
uint32_t places_arena_of(const struct places *places, uint64_t address);

/**
 * Say what of the heaps and threads was not found, by the keys heap_error and thread_error: else "anonymous"
 * would pass for a fact. Nothing where all was.
 */
void places_put_errors(const struct places *places, struct report *report);

/** "rw-p" … */
void places_permissions(const struct mapping *mapping, char text[5]);

#endif
