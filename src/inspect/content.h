/* content.h - the first bytes of chunk after chunk, by rising address, with few reads of the target. */
#ifndef INSPECT_CONTENT_H
#define INSPECT_CONTENT_H

#include "target/page_view.h"

struct content;

/** A reader of @target, which must outlive it; content_free() ends it. NULL without memory. */
struct content *content_new(struct target *target, bool read_swapped);
void content_free(struct content *content);

/**
 * Bytes from @address into @data, up to the first that cannot be read or is swapped out; pages that were
 * never touched are zeros and are not read. Returns how many. The read_content of encode/dump.h.
 */
size_t content_read(void *context, uint64_t address, void *data, size_t length);

#endif
