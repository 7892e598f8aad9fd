/*
 * hold_client.h - struct holder by a holder process at the other end of a socket; a new one each stop, so
 * that its end lets go of everything.
 */
#ifndef LINK_HOLD_CLIENT_H
#define LINK_HOLD_CLIENT_H

#include "link/helper.h"
#include "target/hold.h"

/** Set by hold_client_init(). Neither begin nor end allocates or logs. */
struct hold_client {
    struct holder holder; /* first: what is handed to who asks */
    struct helper_launcher launcher;
    int fd;            /* -1 while nothing is held */
    uint64_t begun_ns; /* of the stop; until the holder says so: when it was asked for */
    uint64_t budget_ns;
};

/** Ready to hold, by holders of @launcher, whose context must outlive @client. Nothing is started yet. */
void hold_client_init(struct hold_client *client, struct helper_launcher launcher);

#endif
