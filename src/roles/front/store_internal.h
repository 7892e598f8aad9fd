/* store_internal.h - the store's own structure, under one reader-writer lock; of the files store*.c only. */
#ifndef ROLES_FRONT_STORE_INTERNAL_H
#define ROLES_FRONT_STORE_INTERNAL_H

#include <pthread.h>

#include "roles/front/store.h"

struct store {
    pthread_rwlock_t lock;
    uint64_t epoch;
    uint64_t bytes, bytes_max; /* of groups and processes */
    bool is_first_round;
    struct store_group **groups; /* sorted by name */
    size_t group_count, group_capacity;
    struct store_process **processes; /* sorted by pid */
    size_t process_count, process_capacity;
    int32_t ended[STORE_ENDED_MAX];
    size_t ended_next;
    struct message_settings settings;
    struct message_round round;
    bool has_settings, has_round;
};

/** Where the group @name, the process @pid is, or belongs; the lock is held. */
size_t store_group_place(const struct store *store, const char *name, bool *found);
size_t store_process_place(const struct store *store, int32_t pid, bool *found);

void store_group_unref(struct store_group *group);

/** After a round of the scanner: what it does not know of has no processes, and ends after group_ttl; the
 * lock is held. */
void store_leave_groups(struct store *store, uint64_t now_ns);

/** Memory that it takes, for the bound on all of them. */
uint64_t store_group_bytes(const struct store_group *group);
uint64_t store_process_bytes(const struct store_process *process);

#endif
