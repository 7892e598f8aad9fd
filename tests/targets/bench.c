/*
 * bench.c - a heap of a given size for the benchmark: SHAPE MIB. SHAPE: small (16-256 B, all in use), mixed
 * (a third freed at random), threads (mixed, in eight arenas), unsorted (30 % freed at once), shuffled (15 %
 * freed in random order and sorted into bins, then as many left in unsorted).
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "truth.h"

#define THREADS 8

static sem_t done;
static const char *shape;
static size_t share_bytes;

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static size_t pick(uint32_t *random)
{
    uint32_t choice = next(random);
    if (strcmp(shape, "small") == 0) {
        return 16 + choice % 241;
    }
    if (strcmp(shape, "unsorted") == 0 || strcmp(shape, "shuffled") == 0) {
        return 136 + choice % 225;
    }
    return choice % 50 == 0 ? 1 + next(random) % 60000 : 16 + choice % 700;
}

static bool is_to_free(size_t i, uint32_t *random)
{
    if (strcmp(shape, "small") == 0 || strcmp(shape, "shuffled") == 0) {
        return false;
    }
    return strcmp(shape, "unsorted") == 0 ? i % 10 == 0 || i % 10 == 3 || i % 10 == 6 : next(random) % 3 == 0;
}

/* A request that unsorted cannot serve sorts 10,000 of its chunks into bins (malloc.c, MAX_ITERS). */
static void sort_unsorted(size_t freed)
{
    for (size_t i = 0; i <= freed / 10000; i++) {
        void *block = malloc(900000);
        if (block == NULL) {
            _exit(126);
        }
        free(block);
    }
}

static void free_shuffled(void **blocks, size_t count, uint32_t *random)
{
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = ((uint64_t)next(random) << 20 ^ next(random)) % (i + 1);
        void *block = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = block;
    }
    size_t share = count / 100 * 15;
    for (size_t i = 0; i < share; i++) {
        free(blocks[i]);
    }
    sort_unsorted(share);
    for (size_t i = share; i < 2 * share; i++) {
        free(blocks[i]);
    }
}

/* The list of blocks lies outside of the heap. */
static void fill(uint32_t random)
{
    size_t most = share_bytes / 32;
    void **blocks = mmap(NULL, most * sizeof *blocks, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (blocks == MAP_FAILED) {
        _exit(123);
    }
    size_t count = 0;
    for (size_t sum = 0; sum < share_bytes && count < most; count++) {
        size_t bytes = pick(&random);
        blocks[count] = malloc(bytes);
        if (blocks[count] == NULL) {
            _exit(124);
        }
        memset(blocks[count], 1, bytes);
        sum += malloc_usable_size(blocks[count]) + 8;
    }
    if (strcmp(shape, "shuffled") == 0) {
        free_shuffled(blocks, count, &random);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_to_free(i, &random)) {
            free(blocks[i]);
        }
    }
    munmap(blocks, most * sizeof *blocks);
}

static void *stay(void *seed)
{
    fill((uint32_t)(uintptr_t)seed);
    sem_post(&done);
    while (pause() < 0) {
    }
    return NULL;
}

int main(int argc, char **argv)
{
    truth_init();
    if (argc != 3) {
        return 2;
    }
    shape = argv[1];
    share_bytes = strtoul(argv[2], NULL, 10) << 20;
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    if (strcmp(shape, "threads") != 0) {
        fill(1);
    } else {
        share_bytes /= THREADS;
        mallopt(M_ARENA_MAX, THREADS + 1);
        sem_init(&done, 0, 0);
        for (uintptr_t i = 0; i < THREADS; i++) {
            pthread_t thread;
            if (pthread_create(&thread, NULL, stay, (void *)(i + 1)) != 0) {
                _exit(125);
            }
        }
        for (size_t i = 0; i < THREADS; i++) {
            sem_wait(&done);
        }
    }
    truth_serve(NULL);
    return 0;
}
