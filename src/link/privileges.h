/*
 * privileges.h - what a role may do: its user and its capabilities (capabilities(7), prctl(2)).
 */
#ifndef LINK_PRIVILEGES_H
#define LINK_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** Sets of capabilities: bit n is capability n of <linux/capability.h>. */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/** The capabilities that this process may use (its permitted set). */
uint64_t privileges_held(void);

/**
 * Keep of the capabilities held those in @wanted, and give up all others for good: permitted and effective
 * become what is kept, inheritable and ambient too where @inherit, so that an exec keeps them, else nothing.
 */
enum status privileges_keep(uint64_t wanted, bool inherit, struct error *err) must_check;

/**
 * Become @uid and @gid, without supplementary groups, and keep of the capabilities held those in @wanted,
 * over an exec too; no other can come back by an exec (the bounding set). For uid 0 root's automatic
 * capabilities are switched off and locked instead (SECBIT_NOROOT). Only root may.
 */
enum status privileges_become(uid_t uid, gid_t gid, uint64_t wanted, struct error *err) must_check;

#endif
