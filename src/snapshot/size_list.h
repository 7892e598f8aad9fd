/* size_list.h - chunk sizes with their number and bytes, most bytes first: plain data. */
#ifndef SNAPSHOT_SIZE_LIST_H
#define SNAPSHOT_SIZE_LIST_H

#include "snapshot/snapshot.h"

/** Sizes up to here are counted exactly, whatever the heap; larger ones as long as they are not too many. */
#define SIZE_LIST_EXACT_BYTES 65536u

/** One chunk size. There are at least @chunks, and at most @error_bytes more bytes of it. */
struct size_row {
    uint64_t size;
    struct tally tally;
    uint64_t error_bytes; /* 0: exact */
};

/** The sizes with most bytes. */
struct size_list {
    struct size_row *rows; /* by bytes, falling; owned */
    uint32_t count;
    struct tally rest;  /* chunks of all other sizes */
    struct tally total; /* exact */
};

#endif
