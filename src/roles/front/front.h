/*
 * front.h - the process on the network: HTTP over the latest results. It has no power: no capability, and it
 * never reads another process' memory.
 */
#ifndef ROLES_FRONT_FRONT_H
#define ROLES_FRONT_FRONT_H

/**
 * Run the role until the keeper closes @control_fd. Returns the exit code: 0 after that, 1 where it could not
 * start, 2 where a flag cannot be honoured.
 */
int front_main(int control_fd);

#endif
