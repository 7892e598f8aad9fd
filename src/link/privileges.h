/*
 * privileges.h - what a role may do: its user and its capabilities (capabilities(7), prctl(2)).
 */
#ifndef LINK_PRIVILEGES_H
#define LINK_PRIVILEGES_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** Sets of capabilities: bit n is capability n of <linux/capability.h>. */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/** The capabilities that this process may use (its permitted set). */
uint64_t privileges_held(void);

/**
 * Keep of the capabilities held those in @wanted, permitted and effective, and give up all others for good:
 * no exec gives any (PR_SET_NO_NEW_PRIVS).
 */
enum status privileges_keep(uint64_t wanted, struct error *err) must_check;

/** The same for who starts roles: what is kept stays over an exec (inheritable and ambient). */
enum status privileges_keep_over_exec(uint64_t wanted, struct error *err) must_check;

/**
 * Become @uid and @gid, without supplementary groups, and keep of the capabilities held those in @wanted,
 * over an exec too; no other can come back by an exec (the bounding set). For uid 0 root's automatic
 * capabilities are switched off and locked instead (SECBIT_NOROOT). Only root may.
 */
enum status privileges_become(uid_t uid, gid_t gid, uint64_t wanted, struct error *err) must_check;

#endif
