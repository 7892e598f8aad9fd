/*
 * second_libc.c - a second C library in a namespace of its own (dlmopen(3)), with a heap of its own beside
 * that of the program's: both hold blocks, both have freed some.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "truth.h"

#define BLOCKS 3000

static void *find(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        _exit(124);
    }
    return found;
}

static void fill(void *(*allocate)(size_t), void (*release)(void *))
{
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t bytes = i % 37 * 90 + 10;
        blocks[i] = allocate(bytes);
        if (blocks[i] == NULL) {
            _exit(125);
        }
        memset(blocks[i], 1, bytes);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        if (i % 3 == 0) {
            release(blocks[i]);
        } else {
            truth_note(blocks[i], "block");
        }
    }
}

int main(void)
{
    truth_init();
    fill(malloc, free);
    void *library = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
    if (library == NULL) {
        _exit(123);
    }
    fill((void *(*)(size_t))find(library, "malloc"), (void (*)(void *))find(library, "free"));
    truth_serve(NULL);
    return 0;
}
