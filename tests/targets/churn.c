/*
 * churn.c - a program that never rests: `threads` (four threads that allocate and free at random, some blocks
 * freed by another thread), `growing` (one thread, its heaps grow to GROWN_BYTES, then it begins anew) or
 * `brk` (the same in the main arena).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "truth.h"

#define THREADS 4
#define BLOCKS 20000
#define GROWN_BYTES ((size_t)96 << 20)

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static size_t pick(uint32_t *random)
{
    uint32_t choice = next(random);
    return choice % 200 == 0 ? 1 + next(random) % 100000 : 1 + choice % 600;
}

static void *touched(size_t bytes)
{
    char *block = malloc(bytes);
    if (block == NULL) {
        _exit(123);
    }
    memset(block, 7, bytes);
    return block;
}

/* One block that wanders from thread to thread. */
static _Atomic(void *) wandering;

static void *churn(void *seed)
{
    uint32_t random = (uint32_t)(uintptr_t)seed;
    void **blocks = touched(BLOCKS * sizeof *blocks);
    memset(blocks, 0, BLOCKS * sizeof *blocks);
    for (;;) {
        size_t place = next(&random) % BLOCKS;
        free(blocks[place]);
        blocks[place] = next(&random) % 3 == 0 ? NULL : touched(pick(&random));
        if (next(&random) % 16 == 0) {
            free(atomic_exchange(&wandering, touched(pick(&random))));
        }
    }
    return NULL;
}

static void *grow(void *seed)
{
    uint32_t random = (uint32_t)(uintptr_t)seed;
    for (;;) {
        void **kept = NULL;
        for (size_t sum = 0; sum < GROWN_BYTES;) {
            size_t bytes = pick(&random) + sizeof kept;
            void **block = touched(bytes);
            void *passing = touched(pick(&random));
            *block = (void *)kept;
            kept = block;
            sum += bytes;
            free(passing);
        }
        while (kept != NULL) {
            void **before = *kept;
            free(kept);
            kept = before;
        }
    }
    return NULL;
}

static void *serve(void *unused)
{
    (void)unused;
    truth_serve(NULL);
    exit(0);
}

int main(int argc, char **argv)
{
    pthread_t server;
    truth_init();
    if (argc > 1 && strcmp(argv[1], "brk") == 0) {
        if (pthread_create(&server, NULL, serve, NULL) != 0) {
            _exit(124);
        }
        grow((void *)1);
    }
    bool is_growing = argc > 1 && strcmp(argv[1], "growing") == 0;
    for (uintptr_t i = 0; i < (is_growing ? 1 : THREADS); i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, is_growing ? grow : churn, (void *)(i + 1)) != 0) {
            _exit(124);
        }
    }
    truth_serve(NULL);
    return 0;
}
