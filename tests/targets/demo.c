/*
 * demo.c - the demonstration: a program that leaks slowly and fragments its heap, for ever.
 *
 * Each tenth of a second it allocates requests of mixed sizes, frees most of them, forgets a few (the leak)
 * and keeps small ones between large ones that go (the fragmentation).
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUND_BLOCKS 400

static void *touched(size_t bytes)
{
    void *block = malloc(bytes);
    if (block == NULL) {
        _exit(1);
    }
    memset(block, 1, bytes);
    return block;
}

static void one_round(uint32_t *random)
{
    void *large[ROUND_BLOCKS];
    for (size_t i = 0; i < ROUND_BLOCKS; i++) {
        *random = *random * 1664525u + 1013904223u;
        large[i] = touched((*random >> 10) % 4000 + 1);
        if (i % 40 == 0) {
            void *volatile forgotten = touched((*random >> 10) % 90 + 20);
            (void)forgotten;
        }
    }
    for (size_t i = 0; i < ROUND_BLOCKS; i++) {
        free(large[i]);
    }
}

static _Noreturn void *work(void *seed)
{
    uint32_t random = (uint32_t)(uintptr_t)seed;
    for (;;) {
        one_round(&random);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}

int main(void)
{
    for (uintptr_t i = 1; i < 4; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void *)i) != 0) {
            return 1;
        }
    }
    work((void *)(uintptr_t)99);
}
