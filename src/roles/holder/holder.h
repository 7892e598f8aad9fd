/*
 * holder.h - the process that makes another one stand still for a moment, and does nothing else.
 *
 * Whatever happens, the target goes on: a timer of the kernel kills the holder when the budget is over, and
 * the death of a tracer lets go of what it stopped (ptrace(2); no option that kills or holds is set). No stop
 * is consumed (waitid with WNOWAIT): a signal that was on its way when a thread stopped is delivered
 * afterwards, also where the holder died.
 */
#ifndef ROLES_HOLDER_HOLDER_H
#define ROLES_HOLDER_HOLDER_H

#include <sys/types.h>

#include "base/error.h"

/** Serve one request of link/hold_messages.h at @socket_fd; returns the process' exit code. */
int holder_main(int socket_fd);

/** The same in a process that was forked for it: gives up all other descriptors and capabilities first. */
int holder_child_main(int socket_fd);

/** A holder that was forked by this process; zero-initialise. */
struct holder_child {
    pid_t pid;
};

/** start and stop of struct hold_launcher; their context is a struct holder_child. */
enum status holder_child_start(void *context, int *fd_ret, struct error *err) must_check;
void holder_child_stop(void *context);

#endif
