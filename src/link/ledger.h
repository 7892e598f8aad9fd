/*
 * ledger.h - what was counted of each group since the service began, in memory that outlives a scanner.
 *
 * The keeper makes the memory and hands it to each scanner; it never looks into it. A scanner writes each
 * count at once, so that its death loses none, and the next one goes on from there. What lies in it may be of
 * a scanner that was taken over: rows that cannot be are dropped. It cannot change its size (F_SEAL_SHRINK,
 * F_SEAL_GROW; fcntl(2)).
 */
#ifndef LINK_LEDGER_H
#define LINK_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/name_index.h"
#include "snapshot/outcome.h"

/** As many as the front holds groups. */
#define LEDGER_ROWS_MAX 16384

/** A group; @kept_ns is when it was last in use (CLOCK_MONOTONIC, the same in all roles), 0: the row is free.
 */
struct ledger_row {
    uint64_t kept_ns;
    struct group_counters totals;
    char name[256];
};

/** The memory itself: rows from @used on were never written, and so take no memory. */
struct ledger_memory {
    uint64_t used;
    struct ledger_row rows[LEDGER_ROWS_MAX];
};

/**
 * The scanner's view of it; one thread's at a time. Zero: there is none. Which rows are in use it knows by
 * memory of its own: those that have a name in @index.
 */
struct ledger {
    struct ledger_memory *memory;
    size_t used;
    struct name_index index;
    uint32_t *free; /* rows below @used that are not in use, the next to take last */
    size_t free_count;
};

/** Make an empty one. *@fd_ret is the caller's. */
enum status ledger_make(int *fd_ret, struct error *err) must_check;

/**
 * Map the ledger at @fd, which stays the caller's. All its rows count as in use at @now_ns. STATUS_BAD_DATA:
 * it is none; STATUS_NO_MEMORY. ledger_close() ends it.
 */
enum status ledger_open(int fd, uint64_t now_ns, struct ledger *ret, struct error *err) must_check;
void ledger_close(struct ledger *ledger);

/** The row of the group called @name, in use at @now_ns, a new one if it has none. NULL: there is no ledger,
 * it is full, or there is no memory. */
struct ledger_row *ledger_take(struct ledger *ledger, const char *name, uint64_t now_ns);

/** The group of @row (NULL: none) has ended, and its counters with it. */
void ledger_drop(struct ledger *ledger, struct ledger_row *row);

/** Drop what was not in use since @before_ns. */
void ledger_expire(struct ledger *ledger, uint64_t before_ns);

#endif
