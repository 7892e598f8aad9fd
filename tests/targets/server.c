/*
 * server.c - a server that lives off malloc, for the benchmark of what being scanned costs: worker threads
 * serve requests one after the other, each of which allocates, fills and frees blocks among many that stay.
 *
 * Arguments: THREADS MIB (that stay, over all threads) BLOCKS (that a request replaces). The command
 * `run MILLISECONDS` serves for so long and answers `requests nanoseconds-of-the-slowest-percent
 * nanoseconds-of-cpu` (the 99th percentile of a request's time; what all threads had of the processors).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "truth.h"

#define THREADS_MAX 16
#define BLOCK_BYTES_MEAN 500
/* request times by their leading bits: so many steps a doubling, so that a percentile is exact to 1/256 */
#define STEP_BITS 8
#define STEPS (1 << STEP_BITS)
#define BUCKETS (64 * STEPS)

struct worker {
    pthread_t thread;
    uint32_t random;
    void **blocks;
    size_t count;
    uint64_t requests;
    uint64_t times[BUCKETS];
};

static struct worker workers[THREADS_MAX];
static size_t worker_count;
static size_t blocks_a_request;
static pthread_barrier_t barrier;
static atomic_bool is_over;

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static unsigned bucket_of(uint64_t ns)
{
    if (ns < STEPS) {
        return (unsigned)ns;
    }
    unsigned doubling = 63u - (unsigned)__builtin_clzll(ns);
    return (doubling - STEP_BITS + 1) * STEPS + (unsigned)(ns >> (doubling - STEP_BITS)) % STEPS;
}

static uint64_t bound_of(unsigned bucket)
{
    return bucket < STEPS ? bucket : ((uint64_t)STEPS + bucket % STEPS + 1) << (bucket / STEPS - 1);
}

static void replace_block(struct worker *worker)
{
    size_t place = next(&worker->random) % worker->count;
    size_t bytes = 16 + next(&worker->random) % (2 * BLOCK_BYTES_MEAN);
    free(worker->blocks[place]);
    worker->blocks[place] = malloc(bytes);
    if (worker->blocks[place] == NULL) {
        _exit(123);
    }
    memset(worker->blocks[place], 1, bytes);
}

static void serve_requests(struct worker *worker)
{
    uint64_t begin = now_ns();
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        for (size_t i = 0; i < blocks_a_request; i++) {
            replace_block(worker);
        }
        uint64_t end = now_ns();
        worker->times[bucket_of(end - begin)]++;
        worker->requests++;
        begin = end;
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    worker->blocks = calloc(worker->count, sizeof *worker->blocks);
    if (worker->blocks == NULL) {
        _exit(124);
    }
    for (size_t i = 0; i < 4 * worker->count; i++) {
        replace_block(worker);
    }
    for (;;) {
        pthread_barrier_wait(&barrier);
        serve_requests(worker);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const char *answer_of_all(uint64_t used_ns)
{
    static char answer[64];
    uint64_t requests = 0, slower = 0;
    for (size_t i = 0; i < worker_count; i++) {
        requests += workers[i].requests;
    }
    unsigned bucket = BUCKETS;
    while (bucket > 0 && slower * 100 < requests) {
        bucket--;
        for (size_t i = 0; i < worker_count; i++) {
            slower += workers[i].times[bucket];
        }
    }
    snprintf(answer, sizeof answer, "%llu %llu %llu", (unsigned long long)requests,
             (unsigned long long)bound_of(bucket), (unsigned long long)used_ns);
    return answer;
}

static const char *run(const char *command)
{
    unsigned long milliseconds;
    if (sscanf(command, "run %lu", &milliseconds) != 1) {
        return NULL;
    }
    for (size_t i = 0; i < worker_count; i++) {
        workers[i].requests = 0;
        memset(workers[i].times, 0, sizeof workers[i].times);
    }
    uint64_t begin_ns = cpu_ns();
    atomic_store(&is_over, false);
    pthread_barrier_wait(&barrier);
    nanosleep(&(struct timespec){.tv_sec = (time_t)(milliseconds / 1000),
                                 .tv_nsec = (long)(milliseconds % 1000) * 1000000},
              NULL);
    atomic_store(&is_over, true);
    pthread_barrier_wait(&barrier);
    return answer_of_all(cpu_ns() - begin_ns);
}

int main(int argc, char **argv)
{
    truth_init();
    worker_count = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
    if (worker_count == 0 || worker_count > THREADS_MAX) {
        return 2;
    }
    blocks_a_request = strtoul(argv[3], NULL, 10);
    size_t blocks = (strtoul(argv[2], NULL, 10) << 20) / BLOCK_BYTES_MEAN / worker_count;
    pthread_barrier_init(&barrier, NULL, (unsigned)worker_count + 1);
    for (size_t i = 0; i < worker_count; i++) {
        workers[i].random = (uint32_t)i + 1;
        workers[i].count = blocks;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            _exit(125);
        }
    }
    truth_serve(run);
    return 0;
}
