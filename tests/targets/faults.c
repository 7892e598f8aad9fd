/*
 * faults.c - a heap that breaks itself on command, one fault a process: `system` (system_mem + 4096),
 * `mmapped` (an mmapped chunk without its M bit; answers with its bytes), `ring` (main_arena.next leads
 * nowhere), `arena` (all of main_arena up to there is garbage), `size` (a chunk in use in the middle has an
 * impossible size; answers with its header's address). Three are no damage but what a thread leaves that
 * stands in the midst of malloc, PIECE_BYTES of top being cut off: `cut` (only the arena's word for top is
 * new), `cut-stale` (and where top's header is to come lies one of an old chunk), `cut-headless` (the piece
 * has its header, top has none); they answer with the new top's address. Beside them `thread` starts a second
 * thread, which sleeps, `lock` takes main_arena's lock for good, and SIGUSR1 lets the first thread run, in no
 * system call, until SIGUSR2. SIGHUP has a handler that sleeps until then.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "truth.h"

/* struct malloc_state of glibc 2.27 to 2.42 on 64-bit, in bytes (malloc/malloc.c). */
#define OFFSET_TOP 96
#define OFFSET_NEXT 2160
#define OFFSET_SYSTEM_MEM 2184

#define PIECE_BYTES 0x1230 /* as tests/live/test_faults.c has it */

static char *main_arena;
static size_t in_the_middle, mapping;
static char said[64];

/* The only chunk in the unsorted list points back to its head, which lies where `top` does. */
static void find_main_arena(void)
{
    char *block = malloc(5000);
    truth_malloc(20);
    volatile uintptr_t freed = (uintptr_t)block;
    free(block);
    uintptr_t head;
    memcpy(&head, (void *)freed, sizeof head);
    main_arena = (char *)head - OFFSET_TOP;
}

static uint64_t *word(char *at)
{
    return (uint64_t *)(void *)at;
}

static volatile sig_atomic_t is_running;

static void run_on(int number)
{
    (void)number;
    is_running = 1;
    while (is_running) {
    }
}

static void sleep_in_handler(int number)
{
    sigset_t none;
    (void)number;
    sigemptyset(&none);
    is_running = 1;
    while (is_running) {
        sigsuspend(&none);
    }
}

static void rest(int number)
{
    (void)number;
    is_running = 0;
}

static void *sleep_on(void *unused)
{
    while (unused == NULL) {
        pause();
    }
    return NULL;
}

static const char *cut_top(uint64_t piece_field, uint64_t top_field)
{
    char *piece;
    memcpy(&piece, main_arena + OFFSET_TOP, sizeof piece);
    char *top = piece + PIECE_BYTES;
    memcpy(main_arena + OFFSET_TOP, &top, sizeof top);
    if (piece_field != 0) {
        *word(piece + 8) = piece_field;
    }
    *word(top + 8) = top_field;
    snprintf(said, sizeof said, "%llx", (unsigned long long)(uintptr_t)top);
    return said;
}

static const char *plant(const char *command)
{
    pthread_t thread;
    if (strcmp(command, "thread") == 0) {
        return pthread_create(&thread, NULL, sleep_on, NULL) == 0 ? "started" : NULL;
    }
    if (strcmp(command, "lock") == 0) {
        int one = 1;
        memcpy(main_arena, &one, sizeof one);
        return "locked";
    }
    if (strcmp(command, "cut") == 0) {
        return cut_top(0, 0);
    }
    if (strcmp(command, "cut-stale") == 0) {
        return cut_top(0, 0x3f1);
    }
    if (strcmp(command, "cut-headless") == 0) {
        return cut_top(PIECE_BYTES | 1, 0);
    }
    char *block = truth_block(strcmp(command, "mmapped") == 0 ? mapping : in_the_middle);
    uint64_t *size = word(block - 8);
    if (strcmp(command, "system") == 0) {
        *word(main_arena + OFFSET_SYSTEM_MEM) += 4096;
    } else if (strcmp(command, "mmapped") == 0) {
        snprintf(said, sizeof said, "%llu", (unsigned long long)(*size & ~UINT64_C(7)));
        *size &= ~UINT64_C(2);
        return said;
    } else if (strcmp(command, "ring") == 0) {
        *word(main_arena + OFFSET_NEXT) = 0x1230;
    } else if (strcmp(command, "arena") == 0) {
        memset(main_arena, 0x41, OFFSET_NEXT + sizeof(uint64_t));
    } else if (strcmp(command, "size") == 0) {
        *size = UINT64_C(0x4141414141414149);
        snprintf(said, sizeof said, "%llx", (unsigned long long)(uintptr_t)(block - 16));
        return said;
    } else {
        return NULL;
    }
    return "planted";
}

int main(void)
{
    truth_init();
    signal(SIGUSR1, run_on);
    signal(SIGUSR2, rest);
    struct sigaction sleeping = {.sa_handler = sleep_in_handler, .sa_flags = SA_RESTART};
    sigaddset(&sleeping.sa_mask, SIGUSR2); /* it comes while the handler waits for it, not before */
    sigaction(SIGHUP, &sleeping, NULL);
    find_main_arena();
    for (size_t i = 0; i < 3000; i++) {
        size_t place = truth_malloc(i % 7 * 300 + 40);
        if (i == 1500) {
            in_the_middle = place;
        }
    }
    for (size_t i = 2000; i < 2500; i += 2) {
        truth_free(i);
    }
    mapping = truth_malloc(700000);
    truth_malloc(900000);
    truth_serve(plant);
    return 0;
}
