/*
 * child.h - a role that runs as a program of its own (front, scanner): its start, its heartbeat, its end and
 * when it is started again.
 */
#ifndef ROLES_KEEPER_CHILD_H
#define ROLES_KEEPER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "link/messages.h"
#include "target/overdue.h"

/** Set @role and @name, @control to -1 and the rest to zero before use. */
struct child {
    enum role role;
    const char *name;
    pid_t pid;   /* 0: not running */
    int control; /* the socket to it, -1: not running */
    bool is_ready;
    uint64_t started_ns;
    uint64_t heard_ns;      /* the last answer to a heartbeat */
    struct overdue overdue; /* since the first one that was not answered in time */
    uint64_t asked_ns;      /* the last heartbeat */
    uint64_t wait_ns;       /* before the next start after an early end */
    uint64_t restart_ns;    /* when it is started again */
    uint64_t restarts;
};

/** Start it by exec of our own file. */
enum status child_start(struct child *child, struct error *err) must_check;

/**
 * Send one message. A child that is gone or does not read is killed (its end is then seen as any other); the
 * status may be ignored.
 */
enum status child_send(struct child *child, enum message_kind kind, const void *body, int fd);

/**
 * Ask for a sign of life when it is time; kill it where none came for ten seconds in which its main thread
 * could have given one. @procfs tells that.
 */
void child_check(struct child *child, const char *procfs, uint64_t now_ns);

/** End it, if it runs, by SIGKILL; its end is seen as any other. */
void child_kill(const struct child *child);

/** It has ended (@pid is 0 already): close the socket and set when it is started again. */
void child_ended(struct child *child, uint64_t now_ns);

/** Whether it is to be started now. */
bool child_is_due(const struct child *child, uint64_t now_ns);

#endif
