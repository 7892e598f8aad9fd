/*
 * forked.h - a forked child as a target. Memory that is laid out before the fork has the same addresses in
 * both. The child has two threads, says over a pipe that it is ready, and does its step when it is told to.
 */
#ifndef SUPPORT_FORKED_H
#define SUPPORT_FORKED_H

#include <stdint.h>
#include <sys/types.h>

struct target;

/** What it does once it is told to go on; IN_NAMESPACE: it is 1 of a pid namespace of its own, and exits. */
enum forked_step { FORKED_EXITS, FORKED_EXECS, FORKED_LEADER_EXITS, FORKED_VFORK_EXECS, FORKED_IN_NAMESPACE };

/** A child that runs; forked_reap() ends it. */
struct forked {
    pid_t pid;
    pid_t starter; /* its parent where that is not the test, else 0 */
    int go;        /* written: next step; closed: exit */
    int released;  /* end of file once the child has exec'ed or ended */
    uint64_t robust_head;
    pid_t second_tid; /* of its other thread, as that calls itself; 0 of a vfork child, which has none */
};

/** Start one and wait until it is ready. The test is skipped where it needs rights that are not there. */
struct forked forked_start(enum forked_step step);

/** Tell it to do its step; @released tells when an exec or exit is done. */
void forked_go_on(const struct forked *child);

/** Kill it and all that belongs to it. */
void forked_reap(struct forked *child);

/** It as a target; the test fails where it cannot be opened. target_close() ends it. */
struct target *forked_open(const struct forked *child);

#endif
