/* session.h - a one-shot command's target, opened: a running process or a core file, with a holder and a
 * resolver at hand. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/oneshot_options.h"
#include "link/resolver_client.h"
#include "model/chunk.h"
#include "snapshot/snapshot.h"
#include "target/target.h"

/** The holder and resolver that a session may start; NULL: none (then snapshot is refused). */
struct session_helpers {
    struct holder *holder;
    struct resolver_client *resolver;
};

/** A target and what goes with it. Zero-initialise before session_open(). */
struct session {
    const struct oneshot_options *options;
    const struct session_helpers *helpers;
    struct target *target;
};

/** Open what @options name. Statuses of target_live_check_procfs(), find_process(), target_live_open() and
 * target_core_open(). */
enum status session_open(struct session *session, const struct oneshot_options *options,
                         const struct session_helpers *helpers, struct error *err) must_check;

/** Close what is open. */
void session_close(struct session *session);
#define scoped_session __attribute__((cleanup(session_close)))

/**
 * Scan the target; @chunks (or NULL) gets every chunk. On success *@ret is the result with all labels;
 * snapshot_unref() ends it. Statuses as those of allocator_scan(); STATUS_STOPPED where @chunks wanted no
 * more.
 */
enum status session_scan_opened(struct session *session, bool want_details, struct chunk_sink *chunks,
                                struct snapshot **ret, struct error *err) must_check;

/** The two in one. */
enum status session_scan(const struct oneshot_options *options, const struct session_helpers *helpers,
                         bool want_details, struct chunk_sink *chunks, struct snapshot **ret,
                         struct error *err) must_check;

#endif
