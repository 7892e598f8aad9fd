/*
 * shared_memory.c - see shared_memory.h.
 *
 * A child of fork has its parent's addresses too, so that they only say who may share. kcmp(2) orders
 * memories as well as telling equal ones, and so sorts those that may in n log n calls, not n squared.
 */
#include "roles/scanner/shared_memory.h"

#include <linux/kcmp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0: one memory. What may not be compared is ordered by pid. */
static int compare_memory(const struct tracked *a, const struct tracked *b)
{
    if (a->id.address_space != b->id.address_space)
        return a->id.address_space < b->id.address_space ? -1 : 1;
    long order = syscall(SYS_kcmp, a->live_tid, b->live_tid, KCMP_VM, 0, 0);
    if (order == 0)
        return 0;
    if (order == 1)
        return -1;
    return order == 2 ? 1 : (a->id.pid > b->id.pid) - (a->id.pid < b->id.pid);
}

static int by_memory_and_age(const void *left, const void *right)
{
    const struct tracked *a = *(struct tracked *const *)left, *b = *(struct tracked *const *)right;
    int order = compare_memory(a, b);
    if (order != 0)
        return order;
    if (a->id.start_time_ticks != b->id.start_time_ticks)
        return a->id.start_time_ticks < b->id.start_time_ticks ? -1 : 1;
    return (a->id.pid > b->id.pid) - (a->id.pid < b->id.pid);
}

void shared_memory_skip(struct tracked_table *table)
{
    size_t count = 0;
    struct tracked **matched = table->list;
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i]->is_matched && table->items[i]->skip == SKIP_NOT)
            matched[count++] = table->items[i];
    if (count < 2)
        return;
    qsort(matched, count, sizeof(struct tracked *), by_memory_and_age);
    for (size_t i = 1; i < count; i++)
        if (compare_memory(matched[i - 1], matched[i]) == 0)
            matched[i]->skip = SKIP_SHARES_MEMORY;
}
