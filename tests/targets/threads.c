/*
 * threads.c - many threads: eight that allocated and live, four that ended, two that never allocated; some
 * blocks freed by another thread than the one that allocated them. Asked for "mappings", it makes 60,000.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "truth.h"

#define BLOCKS 700
#define MAPPINGS 60000u
#define PAGE_BYTES 65536u

static sem_t done;

static void allocate(uint32_t random)
{
    size_t places[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        random = random * 1664525u + 1013904223u;
        places[i] = truth_malloc((random >> 8) % ((random >> 20) % 20 == 0 ? 20000 : 500) + 1);
    }
    for (size_t i = 0; i < BLOCKS; i += 2 + random % 2) {
        truth_free(places[i]);
    }
}

static void *stay(void *seed)
{
    truth_note_thread();
    if (seed != NULL) {
        allocate((uint32_t)(uintptr_t)seed);
    }
    sem_post(&done);
    while (pause() < 0) {
    }
    return NULL;
}

static void *leave(void *seed)
{
    truth_note_thread();
    allocate((uint32_t)(uintptr_t)seed);
    return NULL;
}

static pthread_t start(void *(*run)(void *), uintptr_t seed)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, (void *)seed) != 0) {
        _exit(123);
    }
    return thread;
}

/* Mappings, in that every second page of one has other rights. */
static const char *make_mappings(const char *command)
{
    if (strcmp(command, "mappings") != 0) {
        return NULL;
    }
    char *pages = mmap(NULL, (size_t)MAPPINGS * PAGE_BYTES, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t i = 0; pages != MAP_FAILED && i < MAPPINGS; i += 2) {
        if (mprotect(pages + i * PAGE_BYTES, PAGE_BYTES, PROT_READ) != 0) {
            return "refused";
        }
    }
    return "made";
}

int main(void)
{
    truth_init();
    sem_init(&done, 0, 0);
    pthread_t leaving[4];
    for (uintptr_t i = 0; i < 4; i++) {
        leaving[i] = start(leave, i + 77);
    }
    for (uintptr_t i = 0; i < 10; i++) {
        start(stay, i < 8 ? i + 1 : 0);
    }
    for (size_t i = 0; i < 10; i++) {
        sem_wait(&done);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(leaving[i], NULL);
    }
    truth_serve(make_mappings);
    return 0;
}
