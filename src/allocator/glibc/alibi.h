/*
 * alibi.h - whether a thread can have been in the midst of malloc all the while that a place of a running
 * heap looked broken.
 *
 * One that gets no processor, was stopped or frozen, or waits for a page leaves a heap as broken as damage
 * does, for as long as that lasts. It has an alibi once it was seen, in that time, asleep in a system call
 * that malloc does not make, outside of a signal's handler; or ran on in user mode, or got over page faults;
 * or ended.
 */
#ifndef ALLOCATOR_GLIBC_ALIBI_H
#define ALLOCATOR_GLIBC_ALIBI_H

#include "target/target.h"

/** Where more threads than this may hold an arena's lock, nothing is known: a look costs some µs for each. */
#define ALIBI_THREADS_MAX 512u

/** Who has none yet, and what was seen of them first. */
struct alibi_thread {
    pid_t tid;
    uint64_t user_ticks, faults;
};

/** Zero-initialise for each pass. */
struct alibi {
    uint64_t since_ns; /* of the place that it is for: when it was first seen just so; names it */
    bool is_begun;
    bool is_complete;
    uint32_t looks; /* of the pass, at all places: they are bounded */
    uint32_t count;
    struct alibi_thread threads[ALIBI_THREADS_MAX];
};

/**
 * Look at the threads of @target, which runs, for the place that looks broken since @since_ns (another place
 * begins anew). @is_locked: the lock of the place's arena was taken when it was last read; free it tells of
 * all threads at once, where there is more than one.
 */
void alibi_look(struct alibi *alibi, struct target *target, uint64_t since_ns, bool is_locked);

/** Whether all threads had one at the last look: what looks the same since is broken. */
bool alibi_holds(const struct alibi *alibi, uint64_t since_ns);

/** What a claim about a running target rests on. */
struct claim {
    struct target *target;
    bool (*has_moved)(void *context); /* whether what it rests on is another by now */
    void *context;
    bool is_locked; /* as for alibi_look(); true where no lock guards it */
    uint64_t deadline_ns;
};

/**
 * Wait whether the claim stays for a tenth of a second, and until all threads have an alibi. False: something
 * moved, or that was not to be found out in time; then nothing may be claimed.
 */
bool alibi_stands(const struct claim *claim);

/** Whether this pass has looked so often that nothing will come of it. */
bool alibi_is_spent(const struct alibi *alibi);

#endif
