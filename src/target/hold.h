/*
 * hold.h - the seam for stops: who wants a process to stand still says so here, and never calls ptrace.
 *
 * Between hold_begin() and hold_end() the caller only reads the target and computes: it does not log, does
 * not allocate from the system, looks up no name and writes to no pipe or socket.
 */
#ifndef TARGET_HOLD_H
#define TARGET_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** What a stop was, by the holder's own clock. @confirmed: it held throughout; only then do results count. */
struct hold_report {
    uint64_t pause_ns; /* first interrupt to last detach */
    uint32_t threads;
    bool is_confirmed;
};

struct holder;

/** A way to stop a process: the roles give the one that asks the holder process. */
struct hold_ops {
    /**
     * Stop all threads of @pid for at most @budget_ns. STATUS_OK: it stands still. STATUS_TRACED: another
     * tracer has it; STATUS_TIMEOUT: its threads did not stop within a quarter of the budget;
     * STATUS_TOO_LARGE: they are too many for it; STATUS_GONE; STATUS_PERMISSION. After any failure it runs,
     * and holder->vain_pause_ns says for how long some of its threads may have stood still.
     */
    enum status (*begin)(struct holder *holder, pid_t pid, uint64_t budget_ns, struct error *err);
    /** Let it go (it may already run: the budget ended) and tell how it was. */
    void (*end)(struct holder *holder, struct hold_report *ret);
};

/** The common head of every holder. */
struct holder {
    const struct hold_ops *ops;
    /**
     * Set by begin(): monotonic time by when end() has to be called, so that its threads run again within the
     * budget; what letting go of them takes is off already, a message's way is not.
     */
    uint64_t release_by_ns;
    /** Set by begin() where it fails: first interrupt to last detach of what was stopped all the same; 0:
     * nothing. */
    uint64_t vain_pause_ns;
};

#endif
