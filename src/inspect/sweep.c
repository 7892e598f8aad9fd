/* sweep.c - see sweep.h. */
#include "inspect/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "inspect/kinds.h"

#define CARRY_MAX 4096u

struct state {
    struct sweep *sweep;
    struct page_view *pages;
    uint8_t *buffer; /* CARRY_MAX in front of a window */
    uint64_t next;   /* where the last window ended */
    size_t carried;  /* bytes in front of the window, of the run that ended there */
    uint64_t done, total;
};

static bool is_wanted(const struct sweep *sweep, const struct mapping *mapping)
{
    bool is_device = mapping->is_shared && strncmp(mapping->name, "/dev/", 5) == 0 &&
                     strncmp(mapping->name, "/dev/shm/", 9) != 0 && strcmp(mapping->name, "/dev/zero") != 0;
    return mapping->is_readable && !is_device && (mapping->is_writable || !sweep->only_writable) &&
           strncmp(mapping->name, "[v", 2) != 0;
}

/* Read from @at, at most to @end; the bytes that were got, or those to pass over as *@skip. */
static size_t read_window(struct state *state, const struct mapping *mapping, uint64_t at, uint64_t end,
                          uint64_t *skip)
{
    struct sweep *sweep = state->sweep;
    uint64_t page = sweep->inspection->target->page_bytes;
    uint64_t length = min_u64(end - at, SWEEP_WINDOW_BYTES);
    *skip = 0;
    if (mapping_is_anonymous(mapping) && state->pages->is_known) {
        uint64_t run = page_view_readable_run(state->pages, at, at + length, sweep->inspection->read_swapped);
        if (run == 0) {
            *skip = min_u64(align_down(at, page) + page - at, end - at);
            if (page_view_state(state->pages, at) == PAGE_SWAPPED)
                sweep->swapped_bytes += *skip;
            return 0;
        }
        length = run;
    }
    size_t got = target_read(sweep->inspection->target, at, state->buffer + CARRY_MAX, (size_t)length);
    sweep->read_bytes += got;
    if (got == 0) {
        *skip = min_u64(align_down(at, page) + page - at, end - at);
        sweep->unread_bytes += *skip;
    }
    return got;
}

/* Hand over what lies in the buffer: @got bytes from @at, what is carried before them. */
static bool hand_over(struct state *state, const struct mapping *mapping, uint64_t at, size_t got)
{
    struct sweep *sweep = state->sweep;
    size_t carried = state->next == at ? state->carried : 0;
    uint8_t *data = state->buffer + CARRY_MAX - carried;
    if (!sweep->take(sweep->context, mapping, at - carried, data, carried + got, carried))
        return false;
    state->carried = (size_t)min_u64(sweep->carry_bytes, carried + got);
    memmove(state->buffer + CARRY_MAX - state->carried, data + carried + got - state->carried,
            state->carried);
    state->next = at + got;
    return true;
}

static enum status sweep_mapping(struct state *state, const struct mapping *mapping, struct error *err)
{
    struct sweep *sweep = state->sweep;
    for (uint64_t at = mapping->start; at < mapping->end && !sweep->is_ended;) {
        uint64_t skip;
        size_t got = read_window(state, mapping, at, mapping->end, &skip);
        if (got > 0 && !hand_over(state, mapping, at, got))
            sweep->is_ended = true;
        at += got + skip;
        state->done += got + skip;
        enum status status = STATUS_OK;
        if (got > 0 || state->done % SWEEP_WINDOW_BYTES == 0)
            status = inspect_go_on(sweep->inspection, sweep->report, state->done, state->total, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status sweep_run(struct sweep *sweep, struct error *err)
{
    scoped_free uint8_t *buffer = malloc(CARRY_MAX + SWEEP_WINDOW_BYTES);
    scoped_free struct page_view *pages = malloc(sizeof *pages);
    if (!buffer || !pages)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a window");
    struct state state = {.sweep = sweep, .pages = pages, .buffer = buffer};
    for (size_t i = 0; i < sweep->maps->count; i++)
        if (is_wanted(sweep, &sweep->maps->rows[i]))
            state.total += sweep->maps->rows[i].end - sweep->maps->rows[i].start;
    page_view_init(pages, sweep->inspection->target, sweep->maps->count ? sweep->maps->rows[0].start : 0);
    for (size_t i = 0; i < sweep->maps->count && !sweep->is_ended; i++) {
        enum status status = STATUS_OK;
        if (is_wanted(sweep, &sweep->maps->rows[i]))
            status = sweep_mapping(&state, &sweep->maps->rows[i], err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
