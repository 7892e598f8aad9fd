/*
 * truth_check.h - one scan of a target program held against what it says of itself: malloc_info(3) and
 * mallinfo2(3) line by line, its list of blocks, and glibc's books.
 */
#ifndef SUPPORT_TRUTH_CHECK_H
#define SUPPORT_TRUTH_CHECK_H

#include <stdbool.h>

#include "allocator/symbol_source.h"
#include "model/chunk.h"
#include "snapshot/snapshot.h"
#include "support/spawn.h"

/** Why a scan is not true: the first difference, in words; "" where it is. */
struct truth_verdict {
    char why[512];
    char libc_version[32]; /* what the scan took the glibc for */
    enum found_by found_by;
};

/** How a program is scanned. */
struct truth_check {
    enum consistency consistency;
    struct chunk_sink *sink;       /* of truth_check_sums(): NULL: most chunks are only counted */
    struct symbol_source *symbols; /* may be NULL */
    unsigned threads;              /* that walk it; up to 1: one */
    bool ignores_unlisted; /* the program does not list all: the C library allocated more for itself */
    unsigned minor;        /* of the glibc, where a scan cannot tell: 36 for 2.36; 0: it can */
};

/** Scan @target, which must be idle, and compare its numbers. False: @ret->why says where they differ. */
bool truth_check_sums(struct spawned *target, const struct truth_check *how, struct truth_verdict *ret);

/** The same, and each block of the program's own list is a chunk of the scan and the other way round. */
bool truth_check_blocks(struct spawned *target, const struct truth_check *how, struct truth_verdict *ret);

#endif
