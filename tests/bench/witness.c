/* witness.c - see witness.h. */
#include "witness.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define PERIOD_NS 250000u
#define LATE_NS 100000u /* what is shorter is no lateness */
#define PROCESSORS_MAX 64
#define ROWS_MAX (1u << 20)

struct lateness {
    uint64_t due_ns, came_ns;
};

struct watch {
    pthread_t thread;
    bool is_forgetful;
    size_t count;
    struct lateness *rows;
};

static struct watch watches[PROCESSORS_MAX];
static size_t watch_count;
static atomic_bool is_over;

static void *look(void *context)
{
    struct watch *watch = context;
    uint64_t due_ns = clock_monotonic_ns();
    while (!atomic_load(&is_over)) {
        due_ns += PERIOD_NS;
        const struct timespec due = {.tv_sec = (time_t)(due_ns / NS_PER_SECOND),
                                     .tv_nsec = (long)(due_ns % NS_PER_SECOND)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        uint64_t came_ns = clock_monotonic_ns();
        if (came_ns - due_ns < LATE_NS)
            continue;
        if (watch->count < ROWS_MAX)
            watch->rows[watch->count++] = (struct lateness){.due_ns = due_ns, .came_ns = came_ns};
        else
            watch->is_forgetful = true;
        due_ns = came_ns;
    }
    return NULL;
}

static bool start_on(size_t processor)
{
    struct watch *watch = &watches[watch_count];
    const struct sched_param first = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
    pthread_attr_t attributes;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(processor, &only);
    *watch = (struct watch){.rows = calloc(ROWS_MAX, sizeof *watch->rows)};
    if (!watch->rows)
        return false;
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &first);
    pthread_attr_setaffinity_np(&attributes, sizeof only, &only);
    bool is_started = pthread_create(&watch->thread, &attributes, look, watch) == 0;
    pthread_attr_destroy(&attributes);
    if (is_started)
        watch_count++;
    else
        free(watch->rows);
    return is_started;
}

bool witness_start(void)
{
    cpu_set_t ours;
    if (sched_getaffinity(0, sizeof ours, &ours) != 0 || CPU_COUNT(&ours) > PROCESSORS_MAX)
        return false;
    for (size_t processor = 0; processor < CPU_SETSIZE; processor++)
        if (CPU_ISSET(processor, &ours) && !start_on(processor))
            return false;
    return true;
}

bool witness_stop(void)
{
    bool is_whole = true;
    atomic_store(&is_over, true);
    for (size_t i = 0; i < watch_count; i++) {
        pthread_join(watches[i].thread, NULL);
        is_whole &= !watches[i].is_forgetful;
    }
    return is_whole;
}

/* The first lateness of @watch that ends behind @at_ns, or NULL; they are in order and lie apart. */
static const struct lateness *next_lateness(const struct watch *watch, uint64_t at_ns)
{
    size_t from = 0, to = watch->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (watch->rows[middle].came_ns <= at_ns)
            from = middle + 1;
        else
            to = middle;
    }
    return from < watch->count ? &watch->rows[from] : NULL;
}

uint64_t witness_late_ns(uint64_t from_ns, uint64_t to_ns)
{
    uint64_t late_ns = 0;
    while (from_ns < to_ns) {
        uint64_t begin_ns = to_ns, end_ns = to_ns;
        for (size_t i = 0; i < watch_count; i++) {
            const struct lateness *next = next_lateness(&watches[i], from_ns);
            if (next && next->due_ns < begin_ns) {
                begin_ns = next->due_ns < from_ns ? from_ns : next->due_ns;
                end_ns = next->came_ns < to_ns ? next->came_ns : to_ns;
            }
        }
        late_ns += end_ns - begin_ns;
        from_ns = end_ns;
    }
    return late_ns;
}

uint64_t witness_longest_ns(void)
{
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < watch_count; i++)
        for (size_t row = 0; row < watches[i].count; row++) {
            uint64_t late_ns = watches[i].rows[row].came_ns - watches[i].rows[row].due_ns;
            longest_ns = late_ns > longest_ns ? late_ns : longest_ns;
        }
    return longest_ns;
}
