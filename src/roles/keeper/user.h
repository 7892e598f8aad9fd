/* user.h - the user that all roles run as. */
#ifndef ROLES_KEEPER_USER_H
#define ROLES_KEEPER_USER_H

#include <sys/types.h>

#include "base/error.h"

/**
 * What the service runs as. Not started as root: the user that it is, and naming another one is
 * STATUS_USAGE. Started as root: user @name; for NULL "malloc_exporter", or where that does not exist
 * "nobody", with a warning in the log.
 */
enum status user_find(const char *name, uid_t *uid_ret, gid_t *gid_ret, struct error *err) must_check;

/**
 * Become that user (where we are root) and keep, of what we have, the capabilities that reading processes
 * needs: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH; over an exec too.
 */
enum status user_become(uid_t uid, gid_t gid, struct error *err) must_check;

#endif
