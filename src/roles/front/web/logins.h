/*
 * logins.h - basic authentication: bcrypt on one thread of low priority, and what it found.
 *
 * A check costs a tenth of a second and more by design, so that it is never done on a thread that serves.
 * The queue is short, equal questions are asked once, and results are kept: those that let in stay while
 * there are others to forget. For an unknown user a fixed hash is computed, as dear as one of the users' own.
 */
#ifndef ROLES_FRONT_WEB_LOGINS_H
#define ROLES_FRONT_WEB_LOGINS_H

#include "roles/front/web/web_config.h"

/** Results that are kept. */
#define LOGINS_CACHE_MAX 100
/** Different questions that wait; and askers over all of them. */
#define LOGINS_QUEUE_MAX 16
#define LOGINS_WAITERS_MAX 128

enum login {
    LOGIN_DENIED,
    LOGIN_OK,
    LOGIN_PENDING, /* the waiter will be told */
    LOGIN_BUSY,    /* the queue is full */
};

/** Who waits for an answer; the caller's until @done was called, from another thread, once. */
struct login_waiter {
    void (*done)(struct login_waiter *waiter, enum login result);
    struct login_waiter *next;
};

struct logins;

/** NULL: no memory or no thread. */
struct logins *logins_new(void);
/** Answer all that wait with LOGIN_BUSY, and from now on every question. */
void logins_stop(struct logins *logins);
/** Ends the thread, which may take as long as one bcrypt. NULL is allowed. */
void logins_free(struct logins *logins);

/**
 * May @user with @password come in by the users of @config? LOGIN_PENDING: @waiter is told later; with NULL
 * for
 * @waiter: it is not known yet, and nothing was asked.
 */
enum login logins_check(struct logins *logins, const struct web_config *config, const char *user,
                        const char *password, struct login_waiter *waiter);

#endif
