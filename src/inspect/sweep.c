/* sweep.c - see sweep.h. */
#include "inspect/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "inspect/kinds.h"
#include "inspect/reader.h"

#define CARRY_MAX 4096u

struct state {
    struct sweep *sweep;
    struct reader *reader;
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
    uint64_t looked = 0;
    for (uint64_t at = mapping->start; at < mapping->end && !sweep->is_ended;) {
        enum reader_outcome outcome;
        uint64_t length = reader_next(state->reader, at, mapping->end, state->buffer + CARRY_MAX,
                                      SWEEP_WINDOW_BYTES, &outcome);
        sweep->read_bytes += outcome == READER_BYTES ? length : 0;
        sweep->swapped_bytes += outcome == READER_SWAPPED ? length : 0;
        sweep->unread_bytes += outcome == READER_UNREADABLE ? length : 0;
        if (outcome == READER_BYTES && !hand_over(state, mapping, at, (size_t)length))
            sweep->is_ended = true;
        at += length;
        state->done += length;
        if (state->done - looked < SWEEP_WINDOW_BYTES / 4 && at < mapping->end)
            continue;
        looked = state->done;
        enum status status = inspect_go_on(sweep->inspection, sweep->report, state->done, state->total, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void end_reader(struct reader **reader)
{
    reader_free(*reader);
}

enum status sweep_run(struct sweep *sweep, struct error *err)
{
    scoped_free uint8_t *buffer = malloc(CARRY_MAX + SWEEP_WINDOW_BYTES);
    scoped(end_reader) struct reader *reader = reader_new(sweep->inspection, sweep->maps);
    if (!buffer || !reader)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a window");
    struct state state = {.sweep = sweep, .reader = reader, .buffer = buffer};
    for (size_t i = 0; i < sweep->maps->count; i++)
        if (is_wanted(sweep, &sweep->maps->rows[i]))
            state.total += sweep->maps->rows[i].end - sweep->maps->rows[i].start;
    for (size_t i = 0; i < sweep->maps->count && !sweep->is_ended; i++) {
        enum status status = STATUS_OK;
        if (is_wanted(sweep, &sweep->maps->rows[i]))
            status = sweep_mapping(&state, &sweep->maps->rows[i], err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
