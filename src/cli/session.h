/* session.h - a one-shot command's scan: the target opened, a holder and a resolver at hand, the labels
 * filled. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/oneshot_options.h"
#include "model/chunk.h"
#include "snapshot/snapshot.h"

/** The holder and resolver that a session may start; NULL: none (then snapshot is refused). */
struct session_helpers {
    struct holder *holder;
    struct resolver_client *resolver;
};

/**
 * Scan the process that @options name; @chunks (or NULL) gets every chunk. On success *@ret is the result
 * with all labels; snapshot_unref() ends it. Statuses as those of allocator_scan(); STATUS_STOPPED where
 * @chunks wanted no more. @allocator (32 bytes) gets the name of one that cannot be walked.
 */
enum status session_scan(const struct oneshot_options *options, const struct session_helpers *helpers,
                         bool want_details, struct chunk_sink *chunks, char allocator[32],
                         struct snapshot **ret, struct error *err) must_check;

#endif
