/*
 * role_start.h - how a role that is a program of its own (front, scanner) begins.
 *
 * The keeper starts it by exec of its own file with ROLE_FLAG; its socket to the keeper is ROLE_CONTROL_FD.
 */
#ifndef LINK_ROLE_START_H
#define LINK_ROLE_START_H

#include <stdint.h>

#include "base/error.h"

/** argv[1] is ROLE_FLAG and the role's name, argv[2] the keeper's pid. */
#define ROLE_FLAG "--role="
#define ROLE_CONTROL_FD 3

/**
 * Give up all capabilities but @capabilities (bits, link/privileges.h), end with the keeper (@keeper_pid),
 * and leave the signals of a terminal or a service manager to it.
 */
enum status role_start(int32_t keeper_pid, uint64_t capabilities, struct error *err) must_check;

#endif
