/*
 * pairing.h - the link between front and scanner, as the keeper makes it and has it renewed.
 *
 * A role that notices that its link is broken says so. Where both of its ends still live after a moment,
 * nobody but the keeper can mend it: the front ends and is started again, with a new link. It is the front,
 * since the end of a scanner would put the processes that it scans under suspicion.
 */
#ifndef ROLES_KEEPER_PAIRING_H
#define ROLES_KEEPER_PAIRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log_limit.h"

struct keeper;

/** Zero-initialise. */
struct pairing {
    uint64_t epoch;     /* of the link in use; rises with each */
    uint64_t broken_ns; /* when a role called it broken, CLOCK_MONOTONIC; 0: it holds */
    bool is_due;        /* it could not be made when it was needed */
    struct log_limit refused;
};

/** Give both a new link, where both run. */
enum status pairing_connect(struct keeper *keeper, struct error *err) must_check;

/** A role says at @now_ns that the link of @epoch is broken. One that is replaced already does not matter. */
void pairing_broken(struct keeper *keeper, uint64_t epoch, uint64_t now_ns);

/** Do what is due at @now_ns: end the front whose link is broken, make the link that could not be made. */
void pairing_check(struct keeper *keeper, uint64_t now_ns);

#endif
