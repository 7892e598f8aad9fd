/*
 * fragmented.c - the situations named on the command line, one after the other: holes, subheaps, sbrk,
 * memalign, mremap, mmapped, blocked (a mapping in brk's way), trim.
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "truth.h"

static sem_t done;

static void fill(size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        truth_malloc(bytes + i % 13 * 16);
    }
}

/* Frees all "block"s but every third, from place @first on. */
static void punch(size_t first)
{
    for (size_t i = first; i < truth_count(); i++) {
        if (i % 3 != 0 && truth_block(i) != NULL) {
            truth_free(i);
        }
    }
}

static void make_holes(void)
{
    size_t first = truth_count();
    fill(20000, 200);
    punch(first);
    fill(50, 60000);
}

static void *allocate_much(void *unused)
{
    (void)unused;
    truth_note_thread();
    size_t first = truth_count();
    fill(4000, 60000);
    punch(first);
    sem_post(&done);
    while (pause() < 0) {
    }
    return NULL;
}

/* More than one sub-heap of 64 MiB in another arena. */
static void make_subheaps(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, allocate_much, NULL) != 0) {
        _exit(123);
    }
    sem_wait(&done);
}

static void make_sbrk(void)
{
    for (int i = 0; i < 3; i++) {
        fill(400, 1000);
        if (sbrk(12345 + i * 4096) == (void *)-1) {
            _exit(124);
        }
        fill(400, 1000);
    }
}

static void make_memalign(void)
{
    for (size_t i = 0; i < 100; i++) {
        truth_note(memalign((size_t)64 << i % 8, 100 + i * 40), "block");
        truth_note(memalign(4096, 200000 + i), "block");
    }
}

static void make_mmapped(void)
{
    size_t first = truth_count();
    fill(40, 300000);
    for (size_t i = first; i < first + 40; i += 5) {
        truth_free(i);
    }
}

static void make_mremap(void)
{
    for (size_t i = 0; i < 6; i++) {
        size_t place = truth_malloc(500000);
        void *grown = realloc(truth_block(place), i % 2 == 0 ? 1500000 : 200000);
        truth_move(place, grown);
    }
}

/* brk cannot grow over a mapping right behind it: glibc goes on with mmapped runs of the main arena. */
static void make_blocked(void)
{
    fill(100, 500);
    char *end = sbrk(0);
    uintptr_t page = ((uintptr_t)end + 4095) & ~(uintptr_t)4095;
    if (mmap((void *)page, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
        MAP_FAILED) {
        _exit(125);
    }
    size_t first = truth_count();
    fill(3000, 1500);
    punch(first);
}

static void make_trim(void)
{
    size_t first = truth_count();
    fill(3000, 5000);
    punch(first);
    malloc_trim(0);
}

static const struct situation {
    const char *name;
    void (*make)(void);
} situations[] = {
    {"holes", make_holes},       {"subheaps", make_subheaps}, {"sbrk", make_sbrk},
    {"memalign", make_memalign}, {"mmapped", make_mmapped},   {"mremap", make_mremap},
    {"blocked", make_blocked},   {"trim", make_trim},
};

int main(int argc, char **argv)
{
    truth_init();
    sem_init(&done, 0, 0);
    for (int i = 1; i < argc; i++) {
        size_t known = sizeof situations / sizeof *situations;
        size_t at = 0;
        while (at < known && strcmp(situations[at].name, argv[i]) != 0) {
            at++;
        }
        if (at == known) {
            return 2;
        }
        situations[at].make();
    }
    truth_serve(NULL);
    return 0;
}
