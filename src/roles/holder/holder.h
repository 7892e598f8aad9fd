/*
 * holder.h - the process that makes another one stand still for a moment, and does nothing else.
 *
 * It is two processes: one that holds, and one that waits for its end and tells how long the stop was.
 * Whatever happens, the target goes on: the end of the one that holds lets go of all that it stopped
 * (ptrace(2); no option that kills or holds is set), and a timer of the kernel ends it when the budget is
 * over; so does the end of the other, or of who asked.
 */
#ifndef ROLES_HOLDER_HOLDER_H
#define ROLES_HOLDER_HOLDER_H

/**
 * Be a holder on @socket_fd, as main of a helper (link/helper.h): gives up all other descriptors and all
 * capabilities but CAP_SYS_PTRACE, serves one request of link/hold_messages.h, returns the exit code. Ends by
 * itself.
 */
int holder_main(int socket_fd);

#endif
