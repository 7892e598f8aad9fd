/*
 * probe.h - the search for a heap's books in one module: by the cache, by signature, by symbols; and its
 * proof on the live heap.
 */
#ifndef ALLOCATOR_GLIBC_PROBE_H
#define ALLOCATOR_GLIBC_PROBE_H

#include "allocator/cache.h"
#include "allocator/glibc/effort.h"
#include "allocator/glibc/elf_image.h"
#include "allocator/glibc/layout.h"
#include "allocator/symbol_source.h"
#include "target/target.h"

/** The search in the modules of a process, one after the other. */
struct probe {
    struct target *target;
    const struct maps *maps;
    struct symbol_source *symbols; /* may be NULL */
    struct allocator_cache *cache; /* may be NULL */
    struct effort effort;
    unsigned newer_minor;     /* of a libc that was not understood and is newer than the rows; 0: none */
    unsigned companion_minor; /* of the libc that a module without a version belongs to; 0: none */
    bool may_have_symbols;    /* this module is a libc by its name, or a program of its own */
    bool is_doubted;          /* a place was found in one of the modules and the heap there did not agree */
    bool lacks_memory;        /* for the data of one of the modules */
    bool is_unread;           /* the headers of the program or of a libc could not be read just then */

    /* of the module that probe_module() was given last */
    struct elf_image image;
    uint8_t *data;
    size_t length;
    struct cache_entry entry; /* what was found; addresses are link-time ones */
    unsigned bins_offset;
};

/**
 * Whether the module whose ELF header is at @mapping's start has a glibc malloc: then @probe->entry says
 * where, *@layout how it looks, and *@is_cold that it was never used.
 */
bool probe_module(struct probe *probe, const struct mapping *mapping, struct glibc_layout *layout,
                  bool *is_cold);

/** Note in @probe->newer_minor that the module that was probed last, a libc, is newer than all rows. */
void probe_note_newer(struct probe *probe);

#endif
