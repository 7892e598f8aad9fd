/* libcs_process.c - see libcs_process.h. */
#include "libcs_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "target/page_view.h"

static struct libcs_process *libcs_of(struct target *target)
{
    return (struct libcs_process *)target;
}

static size_t read_memory(struct target *target, uint64_t address, void *data, size_t length)
{
    const struct libcs_process *process = libcs_of(target);
    size_t got = 0;
    for (unsigned i = 0; got == 0 && i < process->count; i++) {
        got = process->libcs[i]->ops->read(process->libcs[i], address, data, length);
    }
    return got;
}

static void read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parts[i].is_read =
            read_memory(target, parts[i].address, parts[i].data, parts[i].length) == parts[i].length;
    }
}

static int by_start(const void *left, const void *right)
{
    const struct mapping *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static enum status read_maps(struct target *target, struct maps *ret, struct error *err)
{
    const struct libcs_process *process = libcs_of(target);
    struct maps all = {.rows = calloc(LIBCS_MAX * (size_t)REGION_COUNT, sizeof *all.rows),
                       .names = calloc(1, 1)};
    (void)err;
    for (unsigned i = 0; i < process->count; i++) {
        struct maps maps = {0};
        assert_int_equal(target_maps(process->libcs[i], &maps, NULL), STATUS_OK);
        for (size_t j = 0; j < maps.count; j++) {
            all.rows[all.count] = maps.rows[j];
            all.rows[all.count++].name = all.names;
        }
        maps_deinit(&maps);
    }
    qsort(all.rows, all.count, sizeof *all.rows, by_start);
    *ret = all;
    return STATUS_OK;
}

static enum status page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                               struct error *err)
{
    static _Thread_local uint8_t one[PAGE_VIEW_STRIPE_PAGES];
    const struct libcs_process *process = libcs_of(target);
    memset(states, PAGE_ABSENT, pages);
    for (unsigned i = 0; i < process->count; i++) {
        (void)process->libcs[i]->ops->page_states(process->libcs[i], start, pages, one, err);
        for (size_t page = 0; page < pages; page++) {
            states[page] = one[page] == PAGE_ABSENT ? states[page] : one[page];
        }
    }
    return STATUS_OK;
}

static enum status read_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                                struct error *err)
{
    struct target *first = libcs_of(target)->libcs[0];
    return first->ops->threads(first, ret, count_ret, err);
}

static enum status robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    struct target *first = libcs_of(target)->libcs[0];
    return first->ops->robust_list(first, tid, head_ret);
}

const struct target_ops LIBCS_PROCESS = {
    .name = "libcs",
    .read = read_memory,
    .read_parts = read_parts,
    .maps = read_maps,
    .page_states = page_states,
    .threads = read_threads,
    .robust_list = robust_list,
    .share_bytes = sizeof(struct libcs_process),
};
