/* dispatch.h - what the keeper says to its children and does for them; inside this folder only. */
#ifndef ROLES_KEEPER_DISPATCH_H
#define ROLES_KEEPER_DISPATCH_H

#include "base/log_limit.h"
#include "roles/keeper/child.h"
#include "roles/keeper/config_file.h"
#include "roles/keeper/helpers.h"
#include "roles/keeper/keeper.h"
#include "roles/keeper/listeners.h"
#include "roles/keeper/pairing.h"
#include "roles/keeper/quarantine.h"

enum { KEEPER_FRONT, KEEPER_SCANNER, KEEPER_CHILDREN };

/** The keeper's state. */
struct keeper {
    const struct keeper_options *options;
    struct child children[KEEPER_CHILDREN];
    struct listener listeners[KEEPER_ADDRESSES_MAX];
    uint32_t listener_count;
    struct helpers helpers;
    struct quarantine quarantine;
    struct message_config config; /* the last good one, or the first */
    int config_fd;                /* its bytes; -1: there is no file */
    int ledger_fd;                /* what scanners count in, one after the other: link/ledger.h */
    struct message_config new_config;
    int new_config_fd; /* of a reload that the scanner has not judged yet */
    bool is_reloading;
    bool is_reload_wanted;
    uint64_t reload_ns; /* before which none begins */
    struct log_limit helper_refused;
    struct message_config_result result;
    bool has_result;
    struct pairing pairing;
    int signal_fd;
    double start_time_seconds;
    uint64_t usage_ns; /* when the front was told of our usage last, CLOCK_MONOTONIC */
    bool is_started;   /* the configuration is good and the front listens */
    bool is_ending;
    unsigned failed_waits; /* one after the other */
    int exit_code;
};

/** End the service with @exit_code. */
void keeper_end(struct keeper *keeper, int exit_code);

/** Start @child and tell it and the other one all that they need. */
enum status dispatch_start(struct keeper *keeper, struct child *child, struct error *err) must_check;

/** Tell the front how often each role was restarted. */
void dispatch_restarts(struct keeper *keeper);

/** Take one message of @child. */
void dispatch_receive(struct keeper *keeper, struct child *child);

/** Take all that @child, which has ended, had sent. */
void dispatch_drain(struct keeper *keeper, struct child *child);

/** Say that the service is ready, once it is. */
void dispatch_check_started(struct keeper *keeper);

#endif
