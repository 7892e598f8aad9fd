/*
 * scan.h - one scan of a process, in the test itself.
 *
 * Its holder stops nothing: the target is quiet because the test knows that it waits for a command. What a
 * real stop does to a target is the holder's own test.
 */
#ifndef SUPPORT_SCAN_H
#define SUPPORT_SCAN_H

#include <sys/types.h>

#include "snapshot/snapshot.h"

struct chunk_sink;
struct symbol_source;

/**
 * Scan @pid with details; @sink may be NULL. The snapshot, or NULL with the message printed to standard
 * error. snapshot_unref() ends it.
 */
struct snapshot *scan_once(pid_t pid, enum consistency consistency, struct chunk_sink *sink);

/** How a process is scanned. */
struct scan_wish {
    enum consistency consistency;
    struct chunk_sink *sink;       /* may be NULL */
    struct symbol_source *symbols; /* may be NULL */
    unsigned threads;              /* that walk it; up to 1: the caller's own */
};

/** The same as @wish says. */
struct snapshot *scan_as(pid_t pid, const struct scan_wish *wish);

#endif
