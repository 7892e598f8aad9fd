/*
 * odd_targets.h - processes in states of their own, forked from the test: each beats (a counter in memory
 * that it shares with the test) as long as it runs, and ends with ODD_EXIT_CODE when it is told to.
 */
#ifndef LIVE_ODD_TARGETS_H
#define LIVE_ODD_TARGETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ODD_EXIT_CODE 42
#define ODD_MANY_THREADS 1500

/** What test and target share. */
struct odd_shared {
    atomic_uint_fast64_t beats;
    atomic_uint ready, must_end;
};
extern struct odd_shared *odd_shared;

/** Make it, before a target is forked; false: there is no memory. odd_unshare() ends it. */
bool odd_share(void);
void odd_unshare(void);

/** What a target is; none of them returns. */
void odd_plain(void);
void odd_without_leader(void); /* it has exited, another thread beats */
void odd_in_vfork(void);       /* its parent waits in vfork while it lives, and nothing can stop that */
void odd_many(void);           /* ODD_MANY_THREADS that wait, and one that beats */
void odd_breeding(void);       /* threads come and go all the time */

/** Wait for @condition(@argument); false: it does not come true. */
bool odd_waits_until(bool (*condition)(uint64_t), uint64_t argument);
bool odd_is_ready(uint64_t unused); /* a condition: the target is what it is to be */
bool odd_beats_on(void);            /* waits for some beats more */
void odd_rest(void);                /* for a fifth of a millisecond */

#endif
