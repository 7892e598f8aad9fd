/* list_engine.c - see list_engine.h. */
#include "allocator/glibc/list_engine.h"

#include "base/checked.h"
#include "base/clock.h"
#include "base/reserve.h"

#define PAGE_BYTES 4096u
#define DATA_BYTES (PAGE_BYTES + LIST_NODE_WORDS * 8u)
#define CLOCK_EVERY 64u

/* The lists under way; their buffers change hands with them. */
struct round {
    struct list_engine *engine;
    struct list_cursor cursors[LIST_CURSORS];
    struct target_part parts[LIST_CURSORS];
    uint8_t data[LIST_CURSORS][DATA_BYTES];
    size_t count;
};

static uint64_t node_bytes(const struct list_engine *engine)
{
    return (uint64_t)LIST_NODE_WORDS * engine->heap->layout->word_bytes;
}

/* Guard against lists that lead nowhere, or round and round. */
static bool may_step(const struct list_engine *engine, struct list_cursor *cursor)
{
    const struct glibc_heap *heap = engine->heap;
    if (!is_aligned(cursor->chunk + heap_header_bytes(heap), heap->layout->alignment) ||
        cursor->chunk == cursor->tortoise || cursor->steps >= cursor->steps_max)
        return false;
    if (++cursor->steps == cursor->power) {
        cursor->tortoise = cursor->chunk;
        cursor->power *= 2;
    }
    return true;
}

static bool is_held(const struct list_engine *engine, const struct list_cursor *cursor)
{
    uint64_t end;
    return cursor->chunk >= cursor->held_start && checked_add(cursor->chunk, node_bytes(engine), &end) &&
           end <= cursor->held_end;
}

enum progress { LIST_WAITS, LIST_ENDED };

/* Take members as long as they lie in what is held. */
static enum progress advance(struct list_engine *engine, struct list_cursor *cursor)
{
    while (cursor->chunk != cursor->head) {
        if (!is_held(engine, cursor))
            return LIST_WAITS;
        cursor->node = cursor->data + (cursor->chunk - cursor->held_start);
        if (!may_step(engine, cursor) || !engine->take(engine, cursor)) {
            engine->broken(engine, cursor);
            return LIST_ENDED;
        }
        if (engine->nodes_max && ++engine->nodes >= engine->nodes_max)
            return LIST_WAITS;
    }
    return LIST_ENDED;
}

/* Drop a list that ended; the last one takes its place, its buffer the last one's. */
static void drop(struct round *round, size_t i)
{
    uint8_t *data = round->cursors[i].data;
    round->cursors[i] = round->cursors[--round->count];
    round->cursors[round->count].data = data;
}

static void refill(struct round *round)
{
    while (round->count < LIST_CURSORS) {
        struct list_cursor *cursor = &round->cursors[round->count];
        uint8_t *data = cursor->data;
        *cursor = (struct list_cursor){0};
        bool is_more = round->engine->next_list(round->engine, cursor);
        cursor->data = data;
        cursor->power = 1;
        if (!is_more)
            return;
        if (cursor->chunk != cursor->head)
            round->count++;
    }
}

/*
 * What to read for a list's next member: its page, and as much of the page behind as the member itself needs;
 * or the member alone, where the list jumps about (a page costs twice what the member costs).
 */
static void choose_range(const struct list_engine *engine, const struct list_cursor *cursor, uint64_t *start,
                         uint64_t *end)
{
    bool is_near =
        cursor->held_end != 0 && distance_u64(align_down(cursor->chunk, PAGE_BYTES),
                                              align_down(cursor->held_start, PAGE_BYTES)) <= PAGE_BYTES;
    *start = is_near ? align_down(cursor->chunk, PAGE_BYTES) : cursor->chunk;
    *end = cursor->chunk + node_bytes(engine);
    if (is_near)
        *end = max_u64(*end, *start + PAGE_BYTES);
}

static void read_nodes(struct round *round)
{
    struct list_engine *engine = round->engine;
    for (size_t i = 0; i < round->count; i++) {
        struct list_cursor *cursor = &round->cursors[i];
        uint64_t start, end;
        choose_range(engine, cursor, &start, &end);
        round->parts[i] =
            (struct target_part){.address = start, .data = cursor->data, .length = (uint32_t)(end - start)};
        cursor->held_start = start;
        cursor->held_end = end;
    }
    target_read_parts(engine->heap->target, round->parts, round->count);
}

static void step(struct round *round)
{
    read_nodes(round);
    for (size_t i = round->count; i-- > 0;) {
        struct list_cursor *cursor = &round->cursors[i];
        if (!round->parts[i].is_read) {
            cursor->is_unread = true;
            round->engine->broken(round->engine, cursor);
            drop(round, i);
        } else if (advance(round->engine, cursor) == LIST_ENDED) {
            drop(round, i);
        }
    }
}

enum status list_engine_run(struct list_engine *engine, struct error *err)
{
    scoped_reserved struct round *round = reserve_calloc(1, sizeof *round);
    if (!round)
        return error_set(err, STATUS_NO_MEMORY, "no memory to follow lists");
    round->engine = engine;
    round->count = 0;
    for (size_t i = 0; i < LIST_CURSORS; i++)
        round->cursors[i].data = round->data[i];
    engine->nodes = 0;
    for (unsigned rounds = 1;; rounds++) {
        refill(round);
        if (round->count == 0)
            return STATUS_OK;
        step(round);
        if (engine->nodes_max && engine->nodes >= engine->nodes_max)
            return STATUS_STOPPED;
        if (rounds % CLOCK_EVERY == 0 && clock_monotonic_ns() > engine->heap->deadline_ns)
            return error_set(err, STATUS_TIMEOUT, "the time for the scan ran out while following lists");
    }
}
