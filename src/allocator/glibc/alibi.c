/* alibi.c - see alibi.h. */
#include "allocator/glibc/alibi.h"

#include <time.h>

#include "base/clock.h"

/* with 11 ms between two looks some two seconds */
#define LOOKS_MAX 160u
/* more than the scheduler's rounding, and far more than any state of a heap lasts */
#define TICKS_LEAST 2u
/* more pages than malloc writes to before a heap is sound again */
#define FAULTS_LEAST 4u
/* of a claim: in sum a tenth of a second */
#define WAITS_LEAST 10u
#define WAIT_NS (10 * (long)NS_PER_MS)

/* A single thread takes no arena's lock (malloc.c, SINGLE_THREAD_P). */
static bool are_many(struct target *target)
{
    pid_t tids[2];
    size_t count;
    enum status status = target_thread_ids(target, tids, 2, &count);
    return status == STATUS_TOO_LARGE || (status == STATUS_OK && count == 2);
}

static void begin(struct alibi *alibi, struct target *target)
{
    pid_t tids[ALIBI_THREADS_MAX];
    size_t count;
    alibi->count = 0;
    alibi->is_begun = target_thread_ids(target, tids, ALIBI_THREADS_MAX, &count) == STATUS_OK;
    for (size_t i = 0; alibi->is_begun && i < count; i++) {
        struct thread_look look = {0};
        enum status status = target_look_at_thread(target, tids[i], &look);
        if (status == STATUS_GONE || (status == STATUS_OK && look.is_in_call))
            continue;
        /* of one that could not be looked at nothing that comes is news */
        if (status != STATUS_OK)
            look.user_ticks = look.faults = UINT64_MAX / 2;
        alibi->threads[alibi->count++] =
            (struct alibi_thread){.tid = tids[i], .user_ticks = look.user_ticks, .faults = look.faults};
    }
}

static bool has_alibi(struct target *target, const struct alibi_thread *thread)
{
    struct thread_look look;
    enum status status = target_look_at_thread(target, thread->tid, &look);
    return status == STATUS_GONE ||
           (status == STATUS_OK && (look.is_in_call || look.user_ticks >= thread->user_ticks + TICKS_LEAST ||
                                    look.faults >= thread->faults + FAULTS_LEAST));
}

static void look_again(struct alibi *alibi, struct target *target)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < alibi->count; i++)
        if (!has_alibi(target, &alibi->threads[i]))
            alibi->threads[left++] = alibi->threads[i];
    alibi->count = left;
}

void alibi_look(struct alibi *alibi, struct target *target, uint64_t since_ns, bool is_locked)
{
    if (alibi->since_ns != since_ns) {
        alibi->since_ns = since_ns;
        alibi->is_begun = alibi->is_complete = false;
    }
    if (alibi->is_complete || alibi_is_spent(alibi))
        return;
    alibi->looks++;
    if (!is_locked && are_many(target)) {
        alibi->is_complete = true;
        return;
    }
    if (alibi->is_begun)
        look_again(alibi, target);
    else
        begin(alibi, target);
    alibi->is_complete = alibi->is_begun && alibi->count == 0;
}

bool alibi_holds(const struct alibi *alibi, uint64_t since_ns)
{
    return alibi->is_complete && alibi->since_ns == since_ns;
}

bool alibi_is_spent(const struct alibi *alibi)
{
    return alibi->looks >= LOOKS_MAX;
}

bool alibi_stands(const struct claim *claim)
{
    struct alibi alibi = {0};
    for (unsigned waits = 0;; waits++) {
        if (claim->has_moved(claim->context))
            return false;
        if (alibi_holds(&alibi, claim->deadline_ns))
            return true;
        if (clock_monotonic_ns() > claim->deadline_ns || alibi_is_spent(&alibi))
            return false;
        if (waits >= WAITS_LEAST)
            alibi_look(&alibi, claim->target, claim->deadline_ns, claim->is_locked);
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
}
