/* tools.h - what one scan needs for itself: a cache of libcs, a way to a holder and one to a resolver. */
#ifndef ROLES_SCANNER_TOOLS_H
#define ROLES_SCANNER_TOOLS_H

#include "allocator/allocator.h"
#include "link/hold_client.h"
#include "link/resolver_client.h"
#include "roles/scanner/launch.h"
#include "roles/scanner/scan_process.h"

/** For one scan at a time; kept and lent again, since the cache gets better with use. */
struct tools {
    struct allocator_cache *cache;
    struct launcher holder_launcher, resolver_launcher;
    struct hold_client hold;
    struct resolver_client resolver;
    struct scan_threads *threads; /* as many as the last scan wanted; NULL: one */
    struct tools *next;
};

/** Spare ones, or new ones; NULL without memory. Takes the lock. */
struct tools *tools_take(struct scanner *scanner);
void tools_give(struct scanner *scanner, struct tools *tools);

/** Lend all of them to @job, with as many threads as it wants; where these cannot be had it gets none. */
void tools_lend(struct tools *tools, struct scan_job *job);

#endif
