/*
 * elf_image.h - a module as it lies in a process' memory: its program headers, build-id, TLS image.
 *
 * Read through the bounded reader, never through an ELF library: this runs in the process that has the right
 * to read others, and the words are the target's.
 */
#ifndef ALLOCATOR_GLIBC_ELF_IMAGE_H
#define ALLOCATOR_GLIBC_ELF_IMAGE_H

#include "allocator/cache.h"
#include "target/target.h"

#define ELF_BUILD_ID_MAX 64u
#define ELF_READ_ONLY_MAX 8u

/** A run of link-time addresses. */
struct elf_range {
    uint64_t start, end;
};

struct elf_image {
    const struct mapping *mapping; /* of the ELF header */
    uint64_t bias;                 /* load address less link-time address */
    uint64_t start, end;           /* target addresses of all PT_LOAD */
    struct elf_range data;     /* initialised, writable, not RELRO: from its end to p_filesz (link-time) */
    uint64_t data_file_offset; /* of data.start */
    struct elf_range read_only[ELF_READ_ONLY_MAX]; /* neither writable (RELRO counts) nor executable */
    unsigned read_only_count;
    uint64_t dynamic_addr; /* of PT_DYNAMIC in the target; 0: none */
    bool has_interpreter;
    bool has_go_note; /* made by the Go linker */
    bool has_tls;
    uint64_t tls_start, tls_file_size, tls_size, tls_align; /* PT_TLS, link-time */
    uint8_t build_id[ELF_BUILD_ID_MAX];
    uint32_t build_id_length;
};

/** What the cache knows the module by. */
struct cache_key elf_image_key(const struct elf_image *image);

/**
 * Read the module whose ELF header is at @mapping's start. STATUS_NOT_FOUND: none there, or one that cannot
 * be; else why its headers could not be read.
 */
enum status elf_image_read(struct target *target, const struct mapping *mapping,
                           struct elf_image *ret) must_check;

/** The value of a dynamic tag (DT_…) of the image; false: it has none. */
bool elf_image_dynamic(struct target *target, const struct elf_image *image, uint64_t tag, uint64_t *ret);

#endif
