/*
 * hold_client.h - struct holder by a holder process at the other end of a socket; a new one each stop, so
 * that its end lets go of everything.
 */
#ifndef LINK_HOLD_CLIENT_H
#define LINK_HOLD_CLIENT_H

#include "target/hold.h"

/** How a holder is started: by fork (a one-shot command) or by asking the keeper. */
struct hold_launcher {
    /** Start one; the socket to it becomes the client's. */
    enum status (*start)(void *context, int *fd_ret, struct error *err);
    /** After the socket is closed; NULL where there is nothing to do. */
    void (*stop)(void *context);
    void *context;
};

/** Set by hold_client_init(). Neither begin nor end allocates or logs. */
struct hold_client {
    struct holder holder; /* first: what is handed to who asks */
    struct hold_launcher launcher;
    int fd; /* -1 while nothing is held */
    uint64_t begun_ns;
    uint64_t budget_ns;
};

/** Ready to hold; @launcher is copied, its context must outlive @client. Nothing is started yet. */
void hold_client_init(struct hold_client *client, const struct hold_launcher *launcher);

#endif
