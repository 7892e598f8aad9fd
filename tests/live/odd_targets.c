/* odd_targets.c - see odd_targets.h. */
#include "odd_targets.h"

#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE_NS (60 * NS_PER_SECOND)

struct odd_shared *odd_shared;

bool odd_share(void)
{
    void *memory = mmap(NULL, sizeof *odd_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    odd_shared = memory;
    return memory != MAP_FAILED;
}

void odd_unshare(void)
{
    munmap(odd_shared, sizeof *odd_shared);
}

void odd_rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void *beat(void *unused)
{
    while (!atomic_load(&odd_shared->must_end)) {
        atomic_fetch_add(&odd_shared->beats, 1);
        odd_rest();
    }
    _exit(ODD_EXIT_CODE);
    return unused;
}

static void *wait_for_ever(void *unused)
{
    while (pause() < 0)
        continue;
    return unused;
}

static pthread_t start(void *(*run)(void *))
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    if (pthread_create(&thread, &attributes, run, NULL) != 0)
        _exit(99);
    return thread;
}

void odd_without_leader(void)
{
    start(beat);
    pthread_exit(NULL);
}

void odd_plain(void)
{
    beat(NULL);
}

void odd_in_vfork(void)
{
    start(beat);
    atomic_store(&odd_shared->ready, 1);
    pid_t child = vfork();
    if (child == 0) {
        while (!atomic_load(&odd_shared->must_end))
            odd_rest();
        _exit(ODD_EXIT_CODE);
    }
    wait_for_ever(NULL);
}

void odd_many(void)
{
    for (int i = 0; i < ODD_MANY_THREADS; i++)
        start(wait_for_ever);
    atomic_store(&odd_shared->ready, 1);
    beat(NULL);
}

static void *allocate(void *unused)
{
    atomic_fetch_add(&odd_shared->beats, 1);
    return unused;
}

void odd_breeding(void)
{
    while (!atomic_load(&odd_shared->must_end))
        pthread_join(start(allocate), NULL);
    _exit(ODD_EXIT_CODE);
}

bool odd_waits_until(bool (*condition)(uint64_t), uint64_t argument)
{
    for (uint64_t end = clock_monotonic_ns() + PATIENCE_NS; !condition(argument); odd_rest())
        if (clock_monotonic_ns() > end)
            return false;
    return true;
}

static bool has_beaten(uint64_t goal)
{
    return atomic_load(&odd_shared->beats) >= goal;
}

bool odd_is_ready(uint64_t unused)
{
    (void)unused;
    return atomic_load(&odd_shared->ready);
}

bool odd_beats_on(void)
{
    return odd_waits_until(has_beaten, atomic_load(&odd_shared->beats) + 3);
}
