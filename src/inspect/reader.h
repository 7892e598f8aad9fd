/*
 * reader.h - the bytes of a range, read so that the target is left as it is.
 *
 * A page of no file that was never touched is zeros and is not read; one of a file that is not in the
 * target's memory is read from that file; a swapped one is left in swap unless it may be read. Where the
 * kernel does not tell what is in memory, all is read.
 */
#ifndef INSPECT_READER_H
#define INSPECT_READER_H

#include "inspect/inspection.h"
#include "target/page_view.h"

/* What there is of a part: enumerator, text. */
#define READER_TABLE(X)                   \
    X(BYTES, "bytes")                     \
    X(ZEROS, "never touched: zeros")      \
    X(SWAPPED, "swapped out, left there") \
    X(UNREADABLE, "cannot be read")       \
    X(UNMAPPED, "not mapped")
enum reader_outcome {
#define X(name, text) READER_##name,
    READER_TABLE(X)
#undef X
        READER_COUNT
};
const char *reader_text(enum reader_outcome outcome);

struct reader;

/** A reader of @inspection's target by @maps, both of which must outlive it; NULL without memory. */
struct reader *reader_new(const struct inspection *inspection, const struct maps *maps);
void reader_free(struct reader *reader);

/**
 * The next part of [@at, @end): its length, at least 1, and what there is of it. READER_BYTES: they are in
 * @data, at most @size of them.
 */
uint64_t reader_next(struct reader *reader, uint64_t at, uint64_t end, void *data, size_t size,
                     enum reader_outcome *outcome);

#endif
