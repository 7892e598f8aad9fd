/*
 * tracked.h - the processes that discovery has seen, and what is known of each: selected or not, when it is
 * due, how the last scan ended.
 */
#ifndef ROLES_SCANNER_TRACKED_H
#define ROLES_SCANNER_TRACKED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log_limit.h"
#include "config/config.h"
#include "link/messages.h"
#include "roles/scanner/stop_share.h"

struct group;

/** Why a process that an entry takes is not scanned. */
enum tracked_skip { SKIP_NOT, SKIP_YOUNG, SKIP_LIMIT, SKIP_SHARES_MEMORY, SKIP_CONFLICT };

/** A process. Discovery makes and frees it; fields under "scan" are written by scans too, under the lock. */
struct tracked {
    struct message_process_id id;
    int32_t ppid;
    int32_t live_tid; /* a thread of it that has the memory; its leader may have exited */
    char comm[64];
    uint64_t resident_bytes;
    uint64_t first_seen_ns, checked_ns; /* checked: when its facts were read */
    bool is_seen;                       /* in the round under way */

    /* what the configuration says of it */
    bool is_matched, is_inherited; /* inherited: by its parent's entry (children: true) */
    bool has_children_entry;       /* its entry has children: true */
    bool is_aggregated;            /* identify_by: none */
    bool has_conflict;             /* its group has other labels than its entry, or another identify_by */
    uint64_t min_uptime_ns;
    struct scan_config scan_config;
    struct group *home;  /* that it belongs to; NULL: not matched, or only to be scanned if there is room */
    struct group *group; /* the same while it is selected, else NULL */
    char group_name[256];
    enum tracked_skip skip;
    struct process_labels labels;
    int pidfd;      /* -1 while it is not selected */
    bool has_ended; /* the front was told; discovery removes it */

    /* scan */
    bool is_scanning, is_tried, is_reported;
    bool is_untold; /* the front is told of it when its turn comes */
    bool is_spread; /* it has its place in the interval */
    bool is_final;  /* that it is unsupported: seen twice, after it had time to load its libc */
    uint64_t due_ns;
    uint64_t planned_interval_ns; /* that due_ns was set by */
    uint64_t
        last_cost_ns; /* how long the last scan took; processor time of all its threads, where that is more */
    uint64_t last_success_realtime_ns;
    unsigned timeouts;          /* in a row */
    unsigned unsupported;       /* in a row */
    struct stop_share stops;    /* by requests */
    struct log_limit log_limit; /* of lines about its changes */
    struct message_process result;
    struct snapshot *snapshot; /* that goes with the result; NULL: none yet */
};

/** All of them, by rising pid. Zero-initialise. */
struct tracked_table {
    struct tracked **items;
    size_t count, capacity;
    struct tracked **list; /* room for a list of as many: who orders or picks them needs no memory then */
    size_t list_capacity;
};

/** The process, or NULL. */
struct tracked *tracked_find(const struct tracked_table *table, int32_t pid);

/** The same process (pid, start and address space), or NULL. */
struct tracked *tracked_find_same(const struct tracked_table *table, const struct message_process_id *id);

/** Whether two ids mean one program in one process. */
bool tracked_is_same(const struct message_process_id *a, const struct message_process_id *b);

/** A new one, in its place; NULL without memory. Its pid must not be there yet. */
struct tracked *tracked_add(struct tracked_table *table, const struct message_process_id *id);

/** What is known of it without a scan; the caller's, NULL without memory. */
struct snapshot *tracked_blank_snapshot(const struct tracked *process);

/** Take it out and free it. */
void tracked_remove(struct tracked_table *table, struct tracked *process);

void tracked_deinit(struct tracked_table *table);

#endif
