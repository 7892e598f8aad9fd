/*
 * sandbox.h - which system calls a role may make (seccomp(2)); the tables are in sandbox_profiles.c.
 *
 * A call that no role of this kind ever makes and that does harm kills the process; one that the table does
 * not know gets ENOSYS and is logged once, so that a library's update does not end production.
 */
#ifndef LINK_SANDBOX_H
#define LINK_SANDBOX_H

#include "base/error.h"
#include "link/messages.h"

/** What becomes of a system call. */
enum sandbox_verdict {
    SANDBOX_ALLOWED,
    SANDBOX_DEPENDS, /* allowed with harmless arguments, else SANDBOX_KILLS or SANDBOX_UNKNOWN */
    SANDBOX_KILLS,
    SANDBOX_UNKNOWN, /* ENOSYS, and a line in the log */
};

/**
 * Work out @role's filter now, so that sandbox_enter() in a process forked from this one is quick. It is kept
 * for the life of the process.
 */
enum status sandbox_prepare(enum role role, struct error *err) must_check;

/**
 * Put this process, which must have one thread only, and what it starts under @role's filter, for good; also
 * sets PR_SET_NO_NEW_PRIVS. The keeper's filter is the one that all others inherit: it only kills what no
 * role does.
 */
enum status sandbox_enter(enum role role, struct error *err) must_check;

/** Log the unknown calls made since the last time, each once in the life of the process. One thread only. */
void sandbox_report(void);

/** What becomes of the call @name ("openat") in @role; a name that does not exist is unknown. */
enum sandbox_verdict sandbox_verdict(enum role role, const char *name);

#endif
