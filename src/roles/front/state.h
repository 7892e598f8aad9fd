/* state.h - what the threads of the front share. */
#ifndef ROLES_FRONT_STATE_H
#define ROLES_FRONT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log_limit.h"
#include "link/messages.h"
#include "roles/front/store.h"
#include "roles/front/web/logins.h"
#include "roles/front/web/web.h"

struct streams;
struct connections;
struct answers;

/**
 * One running front. @lock guards @peer, the sending on it, and what the keeper told; @control_lock the
 * sending on @control.
 */
struct front {
    struct message_start start; /* set before any thread */
    struct store *store;
    struct streams *streams;
    struct connections *connections;
    struct answers *answers;
    struct web *web;
    struct logins *logins;
    uint64_t started_ns;
    pthread_mutex_t control_lock;
    int control;
    pthread_mutex_t lock;
    int peer;            /* -1 while there is no scanner */
    uint64_t peer_epoch; /* the main loop's */
    struct message_restarts restarts;
    struct message_usage usage;
    struct message_config_result config_result;
    double config_success_seconds;
    bool has_config_result;
    atomic_uint requests;     /* being worked on */
    struct log_limit refused; /* messages of the scanner; the main loop's */
};

/** Send a stream's request to the scanner; STATUS_SYSTEM where there is none, STATUS_TIMEOUT where it has not
 * read those before. */
enum status front_request_stream(struct front *front, const struct message_stream *request, int write_end,
                                 struct error *err) must_check;
/** Ask the keeper to reload. */
enum status front_request_reload(struct front *front, struct error *err) must_check;

#endif
