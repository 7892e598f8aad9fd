/* libc_version.h - which glibc a module is, by what its read-only data says. */
#ifndef ALLOCATOR_GLIBC_LIBC_VERSION_H
#define ALLOCATOR_GLIBC_LIBC_VERSION_H

#include "allocator/glibc/elf_image.h"

/** What the texts in a module say. @minor 0: no banner (a static program usually has none). */
struct libc_texts {
    unsigned minor;
    bool has_tcache_tunable, has_hugetlb_tunable, has_unsorted_limit_tunable;
    bool has_safe_linking; /* a message that came with it in 2.32 */
};

/** Search the read-only data of @image, in memory, at most 16 MiB of it. */
void libc_texts_find(struct target *target, const struct elf_image *image, struct libc_texts *ret);

/**
 * The minor version to take the rows of: the banner where its rows agree with the data (@bins_offset, where
 * the signature found the bins), else one that has such a malloc_state and the texts seen: 2.41 where it
 * could be 2.42 too, whose tcache is told by its shape.
 */
unsigned libc_version_minor(const struct libc_texts *texts, unsigned bins_offset, unsigned word_bytes);

#endif
