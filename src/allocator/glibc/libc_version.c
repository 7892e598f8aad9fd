/* libc_version.c - see libc_version.h. */
#include "allocator/glibc/libc_version.h"

#include <stdlib.h>
#include <string.h>

#include "allocator/glibc/layout.h"
#include "base/checked.h"
#include "base/cleanup.h"

#define STEP_BYTES 262144u
#define OVERLAP_BYTES 256u
#define SEARCH_MAX (16u * 1024 * 1024)

static const char BANNER[] = "GNU C Library (";
static const char RELEASE[] = "version 2.";

/* "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36." */
static unsigned parse_banner(const char *text, size_t length)
{
    const char *release = memmem(text, min_u64(length, OVERLAP_BYTES), RELEASE, sizeof RELEASE - 1);
    if (!release)
        return 0;
    unsigned minor = 0;
    for (const char *c = release + sizeof RELEASE - 1;
         c < text + length && *c >= '0' && *c <= '9' && minor < 1000; c++)
        minor = minor * 10 + (unsigned)(*c - '0');
    return minor;
}

static bool has_text(const char *data, size_t length, const char *text)
{
    return memmem(data, length, text, strlen(text)) != NULL;
}

static void search(const char *data, size_t length, struct libc_texts *ret)
{
    const char *banner = memmem(data, length, BANNER, sizeof BANNER - 1);
    if (banner && ret->minor == 0)
        ret->minor = parse_banner(banner, length - (size_t)(banner - data));
    ret->has_tcache_tunable = ret->has_tcache_tunable || has_text(data, length, "glibc.malloc.tcache_count");
    ret->has_hugetlb_tunable = ret->has_hugetlb_tunable || has_text(data, length, "glibc.malloc.hugetlb");
    ret->has_unsorted_limit_tunable =
        ret->has_unsorted_limit_tunable || has_text(data, length, "glibc.malloc.tcache_unsorted_limit");
    ret->has_safe_linking =
        ret->has_safe_linking || has_text(data, length, "unaligned tcache chunk detected");
}

void libc_texts_find(struct target *target, const struct elf_image *image, struct libc_texts *ret)
{
    *ret = (struct libc_texts){0};
    scoped_free char *data = malloc(STEP_BYTES + OVERLAP_BYTES);
    uint64_t searched = 0;
    for (unsigned i = 0; data && i < image->read_only_count; i++)
        for (uint64_t at = image->read_only[i].start; at < image->read_only[i].end && searched < SEARCH_MAX;
             at += STEP_BYTES) {
            size_t want = (size_t)min_u64(STEP_BYTES + OVERLAP_BYTES, image->read_only[i].end - at);
            search(data, target_read(target, image->bias + at, data, want), ret);
            searched += want;
        }
}

unsigned libc_version_minor(const struct libc_texts *texts, unsigned bins_offset, unsigned word_bytes)
{
    struct glibc_layout layout;
    if (texts->minor && layout_compose(texts->minor, word_bytes, &layout) &&
        (unsigned)layout.state.bins == bins_offset)
        return texts->minor;
    for (unsigned minor = layout_newest_verified(); minor >= 17; minor--) {
        if (!layout_compose(minor, word_bytes, &layout) || (unsigned)layout.state.bins != bins_offset)
            continue;
        if ((minor >= 26) != texts->has_tcache_tunable || (minor >= 35) != texts->has_hugetlb_tunable)
            continue;
        if (minor >= 26 && (minor >= 32) != texts->has_safe_linking)
            continue;
        /* without a banner 2.42 cannot be told from 2.41 by its texts */
        if (minor == 42)
            continue;
        if (minor >= 29 && (minor < 44) != texts->has_unsorted_limit_tunable)
            continue;
        return minor;
    }
    return 0;
}
