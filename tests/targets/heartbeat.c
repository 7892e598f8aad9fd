/*
 * heartbeat.c - FILE THREADS MIB: a heap of that size, sleeping threads, and one that looks at the clock
 * without a rest and counts in FILE how long it could not, by powers of two of microseconds, and the longest.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS 32

struct counters {
    atomic_uint_fast64_t longest_ns; /* the test sets it to 0 */
    atomic_uint_fast64_t beats;
    atomic_uint_fast64_t gaps[BUCKETS];
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *sleep_on(void *unused)
{
    while (pause() < 0) {
    }
    return unused;
}

static void fill(size_t bytes)
{
    uint32_t random = 1;
    for (size_t sum = 0; sum < bytes;) {
        random = random * 1664525u + 1013904223u;
        size_t size = 16 + (random >> 8) % 700;
        char *volatile block = malloc(size);
        if (block == NULL) {
            _exit(3);
        }
        memset(block, 1, size);
        if (random % 3 == 0) {
            free(block);
        } else {
            sum += size + 16;
        }
    }
}

static _Noreturn void beat(struct counters *counters)
{
    for (uint64_t before = now_ns();;) {
        uint64_t now = now_ns(), gap = now - before, us = gap / 1000;
        unsigned bucket = us == 0 ? 0 : 64u - (unsigned)__builtin_clzll(us);
        atomic_fetch_add(&counters->gaps[bucket < BUCKETS ? bucket : BUCKETS - 1], 1);
        if (gap > atomic_load(&counters->longest_ns)) {
            atomic_store(&counters->longest_ns, gap);
        }
        atomic_fetch_add(&counters->beats, 1);
        before = now;
    }
}

int main(int argc, char **argv)
{
    int fd = argc == 4 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    struct counters *counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || counters == MAP_FAILED) {
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fill(strtoul(argv[3], NULL, 10) << 20);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    for (long i = 1; i < atol(argv[2]); i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, sleep_on, NULL) != 0) {
            return 4;
        }
    }
    beat(counters);
}
