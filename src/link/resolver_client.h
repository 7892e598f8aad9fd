/*
 * resolver_client.h - a source of symbols that has a resolver parse the files.
 *
 * Each resolution is one resolver process: whatever happens to it is one failed resolution. The client opens
 * debug files for it, the host's first, then the target's.
 */
#ifndef LINK_RESOLVER_CLIENT_H
#define LINK_RESOLVER_CLIENT_H

#include <stdint.h>

#include "allocator/symbol_source.h"
#include "base/error.h"
#include "link/helper.h"

/** Fields are set by resolver_client_init(); all but @source may be changed between resolutions. */
struct resolver_client {
    struct symbol_source source; /* what is handed to who asks */
    struct helper_launcher launcher;
    const char *debug_directory; /* "/usr/lib/debug", on the host and in the target's root */
    int target_root_fd;          /* of the process that is looked at (stays the caller's), or -1 */
    uint64_t timeout_ns;         /* of one resolution: 15 s */
    uint64_t deadline_ns;        /* monotonic: none goes on beyond it; 0: not set */
};

/**
 * Fill @client, which has resolvers of @launcher, whose context must outlive it. Its resolve function gives,
 * beside those of struct symbol_source, STATUS_TIMEOUT, and STATUS_BAD_DATA where the files or the answer are
 * broken or the resolver died.
 */
void resolver_client_init(struct resolver_client *client, struct helper_launcher launcher);

#endif
