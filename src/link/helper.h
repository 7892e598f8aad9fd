/*
 * helper.h - processes that live for one task (holder, resolver): how one is started and ended.
 *
 * Whoever needs one is given a launcher: a one-shot command forks its helpers itself, the scanner asks the
 * keeper, which forks them for it.
 */
#ifndef LINK_HELPER_H
#define LINK_HELPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/** A way to have a helper. */
struct helper_launcher {
    /** Start one; *@fd_ret is the socket to it, the caller's. */
    enum status (*start)(void *context, int *fd_ret, struct error *err);
    /** After the socket is closed; NULL where there is nothing to do. */
    void (*end)(void *context);
    void *context;
};

/** Exit code of a helper whose own child was ended by a signal, to which its number is added (as sh(1) has
 * it). */
#define HELPER_SIGNALLED 128

/** A helper that this process forks, one at a time; set @main and @ends_by_itself, the rest 0. */
struct forked_helper {
    /** Runs in it on its end of the socket and returns its exit code. It has all of our other descriptors,
     * capabilities and signal handlers still, and no signal blocked. */
    int (*main)(int socket_fd);
    /** Once its socket is closed it ends, in a time that the kernel sees to: its end is awaited. Else it is
     * killed. */
    bool ends_by_itself;
    pid_t pid; /* 0: none runs */
};

/**
 * Fork @helper; *@fd_ret is the other end of its SOCK_SEQPACKET pair, the caller's. The kernel kills it when
 * the thread that called this ends (PR_SET_PDEATHSIG, prctl(2)).
 */
enum status forked_helper_start(struct forked_helper *helper, int *fd_ret, struct error *err) must_check;

/** The signal that ended a helper, or its own child, as @wait_status (wait(2)) says; 0: none did. */
int helper_signal(int wait_status);

/** See to its end, once its socket is closed, and wait for it; nothing where none runs. */
void forked_helper_stop(struct forked_helper *helper);

/** A launcher that forks @helper, which must outlive it. */
struct helper_launcher forked_helper_launcher(struct forked_helper *helper);

#endif
