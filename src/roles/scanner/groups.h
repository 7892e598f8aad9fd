/* groups.h - the groups that entries' names render to, and what is counted of them. */
#ifndef ROLES_SCANNER_GROUPS_H
#define ROLES_SCANNER_GROUPS_H

#include "base/buffer.h"
#include "base/log_limit.h"
#include "base/name_index.h"
#include "config/config.h"
#include "link/ledger.h"
#include "link/messages.h"

/** A group. @message is what the front was told or is to be told next. */
struct group {
    struct message_group message;
    struct buffer labels;   /* name, NUL, value, NUL … */
    struct ledger_row *row; /* that its counters outlive this scanner in, or NULL */
    uint64_t configured_interval_ns;
    uint64_t last_member_ns;
    uint32_t round_processes, round_scanned; /* counted in the round under way */
    uint64_t round_interval_ns;
    const struct entry *entry; /* of the configuration in force, that it has its labels from; NULL: none */
    bool is_fixed;             /* its entry's name has no template fields: it is there without a process */
    bool is_changed;
    bool is_untold; /* the front is told of it when its turn comes */
};

/** All of them. Zero-initialise; @ledger as it was opened, where counters are to live on. */
struct groups {
    struct ledger ledger;
    struct log_limit ledger_full;
    struct group **items;
    size_t count, capacity;
    struct name_index by_name; /* of @items */
};

/** The group called @name, or NULL. */
struct group *groups_find(const struct groups *groups, const char *name);

/** Before another configuration is in force: no group has its labels from an entry of this one. */
void groups_forget_entries(struct groups *groups);

/** Whether a group can have processes of both entries: labels and identify_by are the same. */
bool groups_agree(const struct entry *one, const struct entry *other);

/**
 * The entry whose labels or identify_by the group called @name has, where @entry has others and so cannot
 * have processes in it; else NULL.
 */
const struct entry *groups_conflict(const struct groups *groups, const char *name, const struct entry *entry);

/** The group called @name as @entry (NULL: the default configuration) has it, made where it is new; there
 * must be no conflict. NULL without memory. */
struct group *groups_take(struct groups *groups, const char *name, const struct entry *entry,
                          uint64_t interval_ns);

/** Count @added to a group. */
void group_count(struct group *group, const struct group_counters *added);

/** The groups there are now are in use at @now_ns; counters of those that were not for @ttl_ns are forgotten.
 */
void groups_keep(struct groups *groups, uint64_t now_ns, uint64_t ttl_ns);

/** Take @group out and free it; its counters end with it. */
void groups_remove(struct groups *groups, struct group *group);

void groups_deinit(struct groups *groups);

#endif
