/*
 * dump.h - a stream of chunks to records: NDJSON, JSON, CSV or aligned text.
 *
 * The receiver of a walk that may report hundreds of millions of chunks: nothing grows, and numbers are
 * formatted by hand into one block that goes to the caller's function when it is full.
 */
#ifndef ENCODE_DUMP_H
#define ENCODE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/chunk.h"
#include "model/dump_format.h"

/** Which chunks are sent. Zero-initialised but for max_bytes it takes all. */
struct dump_filter {
    uint32_t states; /* bit i: enum chunk_state i; 0: all */
    bool has_arena;
    uint32_t arena;
    uint64_t min_bytes;
    uint64_t max_bytes; /* UINT64_MAX: none */
    uint64_t limit;     /* records; 0: none */
};

/** Takes a full block; false ends the dump (the reader is gone). */
typedef bool (*dump_write)(void *context, const char *data, size_t length);

#define DUMP_BLOCK_BYTES (256 * 1024)

/** Reads up to @length bytes of a chunk's contents from @address; returns how many there are. */
typedef size_t (*dump_read)(void *context, uint64_t address, void *data, size_t length);

#define DUMP_CONTENT_MAX 4096

/** A dump under way. Some 256 KiB: allocate it, do not put it on the stack. Read-only for others. */
struct dump {
    struct chunk_sink sink; /* give this to the walk */
    enum dump_format format;
    struct dump_filter filter;
    dump_write write;
    void *context;
    uint64_t chunks; /* of what was sent */
    uint64_t bytes;
    bool is_limited;        /* the limit was reached */
    bool has_failed;        /* @write refused a block */
    uint32_t content_bytes; /* of each record; 0: none */
    dump_read read;
    void *read_context;
    char *end; /* of what is in @block */
    char block[DUMP_BLOCK_BYTES];
};

/** Begin: also puts what comes before the first record. */
void dump_begin(struct dump *dump, enum dump_format format, const struct dump_filter *filter,
                dump_write write, void *context);

/** Right after dump_begin(): each record gets `content`, the first @bytes (to DUMP_CONTENT_MAX) as hex. */
void dump_add_content(struct dump *dump, uint32_t bytes, dump_read read, void *context);

/**
 * Put the summary and flush; false where the reader is gone. @is_complete: nothing was unread;
 * @tcaches_missing: threads whose tcache was not found, the chunks in which are in_use in the records; named
 * where there are any.
 */
bool dump_end(struct dump *dump, bool is_complete, uint64_t tcaches_missing);

#endif
