/* image.h - memory made of arrays: what tests and fuzzers walk. */
#ifndef TARGET_IMAGE_H
#define TARGET_IMAGE_H

#include "target/target.h"

/** A run of bytes at @address; @data stays the caller's and must outlive the target. */
struct image_segment {
    uint64_t address;
    uint64_t length;
    const void *data;
    const char *name; /* for maps; NULL: anonymous */
};

/**
 * A target over @count segments (copied; by rising address, disjoint, page aligned), all private and
 * writable. It has no threads, files or pagemap (STATUS_NOT_FOUND, STATUS_PERMISSION).
 */
enum status target_image_open(const struct image_segment *segments, size_t count, unsigned word_bytes,
                              struct target **ret, struct error *err) must_check;

#endif
