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

/**
 * Be a holder on @socket_fd, as main of a helper (link/helper.h): gives up all other descriptors and all
 * capabilities but CAP_SYS_PTRACE, serves one request of link/hold_messages.h, returns the exit code.
 */
int holder_main(int socket_fd);

#endif
