/*
 * state.h - what the threads of the scanner share; inside this folder only.
 *
 * The main thread answers the keeper, takes the front's requests and watches the others; it never touches a
 * target. One thread discovers, one hears of ends, one tells the front, some scan, and each dump has one of
 * its own.
 */
#ifndef ROLES_SCANNER_STATE_H
#define ROLES_SCANNER_STATE_H

#include <pthread.h>

#include "base/log_limit.h"
#include "config/config.h"
#include "link/messages.h"
#include "roles/scanner/groups.h"
#include "roles/scanner/quarantines.h"
#include "roles/scanner/tracked.h"
#include "roles/scanner/untold.h"
#include "roles/scanner/users.h"
#include "target/overdue.h"

#define SCANNER_WORKERS_MAX 32
#define SCANNER_STREAMS_MAX 64

struct front_link;
struct scan_threads;

/** A thread that may hang in a read of a process, as the main thread watches it; under @watch_lock. */
struct watched {
    struct message_process_id process; /* pid 0: it does nothing now */
    pid_t tid;
    uint64_t limit_ns; /* monotonic: by then it should be done */
    struct overdue overdue;
    const struct scan_threads *threads; /* of its scan, or NULL */
};

struct tools;
struct launch;

/**
 * The scanner. @lock guards what follows it up to the next lock. Only the thread of discovery adds and
 * removes processes and groups and replaces the configuration, so it may look at these without it.
 * Locks are taken in the order of their fields.
 */
struct scanner {
    struct message_start start; /* set before any thread */
    int control;
    int wake_fd;  /* an eventfd that wakes discovery */
    int epoll_fd; /* the ends of processes */

    pthread_mutex_t lock;
    pthread_cond_t is_due;    /* by CLOCK_MONOTONIC: the schedule has changed */
    struct front_link *front; /* NULL: none */
    int front_patience_ms;    /* set before the thread that sends */
    pthread_cond_t is_untold;
    struct untold untold;
    struct config *config;
    struct config *next_config; /* that discovery takes over at its next round */
    struct tracked_table table;
    struct groups groups;
    struct message_round round;
    bool has_round;
    struct log_limit changes_limit; /* of lines about changes of all processes */
    double interval_scale;          /* by which intervals are stretched to keep limits.max_cpu */
    struct quarantines quarantines;
    uint64_t spread_count; /* processes that were given their place in the interval */
    uint32_t scan_count;   /* scans of the schedule under way */
    struct tools *spare_tools;
    size_t stream_count;

    pthread_mutex_t control_lock; /* sending on @control, and the list of launches */
    struct launch *launches;
    uint64_t launch_sequence;
    pthread_cond_t launched;

    pthread_mutex_t watch_lock;
    struct watched watched[1 + SCANNER_WORKERS_MAX + SCANNER_STREAMS_MAX];

    struct users users; /* discovery only */
};

/** Send to the keeper. */
enum status scanner_tell_keeper(struct scanner *scanner, enum message_kind kind, const void *body,
                                struct error *err) must_check;

/** Wake discovery before its time. */
void scanner_wake(struct scanner *scanner);

#endif
