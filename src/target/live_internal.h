/* live_internal.h - what the files of a live target share; nobody else includes it. */
#ifndef TARGET_LIVE_INTERNAL_H
#define TARGET_LIVE_INTERNAL_H

#include "target/live.h"

/** A running process. Descriptors are its own; -1 where not open. */
struct live {
    struct target base;
    int directory_fd; /* /proc/PID */
    int pidfd;
    int maps_fd;    /* bound to the address space that was current when it was opened */
    int pagemap_fd; /* opened at first use */
    bool has_no_pagemap_scan;
    bool has_page_states; /* the kernel has told some: that it may is no question any more */
    bool is_swap_known;
    struct address_range *swapped; /* mappings with swapped pages; read only without a pagemap */
    size_t swapped_count;
    pid_t read_tid; /* a thread that still has the address space: the leader while it lives */
    struct proc_stat stat;
    char procfs[256];
};

/** The process that @target is the head of. */
static inline struct live *live_of(struct target *target)
{
    return (struct live *)target;
}

/* live_memory.c */
size_t live_read(struct target *target, uint64_t address, void *data, size_t length);
void live_read_parts(struct target *target, struct target_part *parts, size_t count);
/** 0 where memory of thread @tid may be read, else the errno: nothing of it is touched. */
int live_probe_memory(pid_t tid);

/* live_identity.c */
/** Keep the target's first trouble; ENOENT and ESRCH are none. */
void live_note_trouble(struct live *live, int os_errno, const char *what);
/** That trouble, else @otherwise: OK, or GONE for a process that has ended. */
enum status live_trouble(const struct live *live, enum status otherwise, struct error *err);

/* live_pages.c */
enum status live_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                             struct error *err);

/* live_swap.c */
void live_swapped(struct target *target, const struct address_range **ret, size_t *count_ret);

/* live_usage.c */
enum status live_usage(struct target *target, const struct maps *maps, struct mapping_usage *rows,
                       struct error *err);

/* live_threads.c */
enum status live_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                         struct error *err);
enum status live_robust_list(struct target *target, pid_t tid, uint64_t *head_ret);
/** Put a thread that still has the address space into read_tid; false where there is none. */
bool live_pick_thread(struct live *live);

/* live_look.c */
enum status live_thread_ids(struct target *target, pid_t *tids, size_t room, size_t *count_ret);
enum status live_look_at_thread(struct target *target, pid_t tid, struct thread_look *ret);

/* live_file.c */
enum status live_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                           struct error *err);

/* live_identity.c */
/** Open maps and take the identity: maps_fd, read_tid and stat are set. */
enum status live_take_identity(struct live *live, struct error *err) must_check;
enum status live_still_same(struct target *target, struct error *err);

/* live_rights.c */
/** Record STATUS_PERMISSION with its cause and remedy; @what was refused ("its memory"). */
enum status live_explain_refusal(const struct live *live, const char *what, struct error *err);

#endif
