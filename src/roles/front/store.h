/*
 * store.h - the latest results: what every answer is made of.
 *
 * Results are immutable and shared by reference count: a reader takes a view and renders it without a lock,
 * while the scanner goes on replacing them.
 */
#ifndef ROLES_FRONT_STORE_H
#define ROLES_FRONT_STORE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "link/messages.h"

#define STORE_PROCESSES_MAX 65536
#define STORE_GROUPS_MAX 16384
#define STORE_ENDED_MAX 1000
/** For store_new(): what a scanner that was taken over can make the front hold. */
#define STORE_BYTES_MAX ((uint64_t)512 << 20)

/** A group as the scanner sent it last. */
struct store_group {
    atomic_uint references;
    uint64_t epoch;   /* of the scanner that sent it */
    uint64_t left_ns; /* since when (CLOCK_MONOTONIC) no scanner knows it; 0: one does */
    struct message_group message;
    size_t labels_length; /* bytes of name, NUL, value, NUL … */
    char labels[];
};

/** The latest of one process; @snapshot belongs to it. @state and @failure as the scanner sent them. */
struct store_process {
    atomic_uint references;
    struct message_process message;
    uint64_t epoch; /* of the scanner that sent it */
    struct snapshot *snapshot;
};

/** A consistent picture: sorted by group and pid. store_view_deinit() ends it. */
struct store_view {
    struct store_group **groups;
    size_t group_count;
    struct store_process **processes;
    size_t process_count;
    struct message_settings settings;
    struct message_round round;
    bool has_settings, has_round;
};

struct store;

/** It holds at most @bytes_max of groups and results. NULL: no memory. */
struct store *store_new(uint64_t bytes_max);
void store_free(struct store *store);

/** A new scanner is there: what it does not report until its first ROUND is dropped then. */
void store_set_epoch(struct store *store, uint64_t epoch);

/**
 * Take one of the scanner's messages. STATUS_BAD_DATA: it is not sound; STATUS_TOO_LARGE: there are too many,
 * or they hold too much. Nothing changed then.
 */
enum status store_settings(struct store *store, const struct message_settings *settings,
                           struct error *err) must_check;
enum status store_group(struct store *store, const struct message_group *group, const void *labels,
                        size_t labels_length, struct error *err) must_check;
enum status store_process(struct store *store, const struct message_process *process, const void *snapshot,
                          size_t snapshot_length, struct error *err) must_check;
/** @now_ns: CLOCK_MONOTONIC. */
void store_round(struct store *store, const struct message_round *round, uint64_t now_ns);
void store_group_gone(struct store *store, const char *name);
void store_process_gone(struct store *store, int32_t pid, bool has_ended);

/** The view of now. STATUS_NO_MEMORY only. */
enum status store_view(struct store *store, struct store_view *ret, struct error *err) must_check;
void store_view_deinit(struct store_view *view);
#define scoped_view scoped(store_view_deinit)

struct message_settings store_current_settings(struct store *store); /* what the scanner said last */

/** The process, or NULL; store_process_unref() ends it. */
struct store_process *store_find(struct store *store, int32_t pid);
void store_process_unref(struct store_process *process);

/** Whether @pid is among the last STORE_ENDED_MAX processes that ended. */
bool store_has_ended(struct store *store, int32_t pid);

/** Whether every process was tried once. */
bool store_all_tried(struct store *store);

/** State and failure at @now_ns: a result beyond its validity is FAILED, stale. */
enum process_state store_state_at(const struct store_process *process, uint64_t now_ns);
enum failure store_failure_at(const struct store_process *process, uint64_t now_ns);

#endif
