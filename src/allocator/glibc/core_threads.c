/* core_threads.c - see core_threads.h. */
#include "allocator/glibc/core_threads.h"

#include <stdlib.h>

#include "base/cleanup.h"

struct claim {
    uint64_t pointer;
    size_t thread;
};

static int by_pointer(const void *left, const void *right)
{
    const struct claim *a = left, *b = right;
    if (a->pointer != b->pointer)
        return a->pointer < b->pointer ? -1 : 1;
    return a->thread < b->thread ? -1 : 1;
}

/* The pthread of a run of claims to one pointer; the others are foreign. */
static void settle_run(struct target *target, const struct claim *claims, size_t count,
                       struct pthread_place *places, bool *is_foreign)
{
    size_t owner = claims[0].thread;
    for (size_t i = 0; i < count; i++)
        if (places[claims[i].thread].pointer)
            owner = claims[i].thread;
    struct pthread_place *place = &places[owner];
    if (!place->pointer) {
        place->is_tid_unknown = true;
        if (!pthread_is_at(target, claims[0].pointer, place))
            return;
    }
    for (size_t i = 0; i < count; i++)
        is_foreign[claims[i].thread] = claims[i].thread != owner;
}

void core_threads_settle(struct target *target, const struct target_thread *threads,
                         struct pthread_place *places, bool *is_foreign, size_t count)
{
    scoped_free struct claim *claims = calloc(count + 1, sizeof *claims);
    size_t known = 0;
    for (size_t i = 0; claims && i < count; i++) {
        uint64_t pointer = places[i].pointer;
        if (pointer || target_thread_pointer(target, threads[i].tid, &pointer) == STATUS_OK)
            claims[known++] = (struct claim){pointer, i};
    }
    if (known)
        qsort(claims, known, sizeof *claims, by_pointer);
    for (size_t i = 0, next; i < known; i = next) {
        for (next = i + 1; next < known && claims[next].pointer == claims[i].pointer; next++)
            ;
        settle_run(target, claims + i, next - i, places, is_foreign);
    }
}
