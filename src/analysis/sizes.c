/* sizes.c - see sizes.h. */
#include "analysis/sizes.h"

#include <stdlib.h>
#include <string.h>

static bool is_wanted(const struct sizes_filter *filter, uint32_t arena, unsigned state)
{
    return (filter->states == 0 || filter->states >> state & 1) &&
           (!filter->has_arena || filter->arena == arena);
}

/* The counter of @size: its own, a free one, or that of the size with fewest bytes. */
static uint32_t large_counter(struct sizes *sizes, uint64_t size)
{
    uint32_t least = 0;
    for (uint32_t i = 0; i < sizes->large_count; i++) {
        if (sizes->large_sizes[i] == size)
            return i;
        if (sizes->large_weights[i] < sizes->large_weights[least])
            least = i;
    }
    if (sizes->large_count < SIZES_LARGE_MAX) {
        least = sizes->large_count++;
        sizes->large_weights[least] = 0;
    }
    sizes->large_sizes[least] = size;
    sizes->large_errors[least] = sizes->large_weights[least];
    return least;
}

static void add(struct sizes *sizes, uint64_t size, uint64_t count)
{
    sizes->total.chunks += count;
    sizes->total.bytes += count * size;
    if (size <= SIZE_LIST_EXACT_BYTES)
        sizes->counts[size / 8] += count;
    else
        sizes->large_weights[large_counter(sizes, size)] += count * size;
}

static bool sizes_consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct sizes *sizes = (struct sizes *)sink;
    for (size_t i = 0; i < count; i++)
        if (is_wanted(&sizes->filter, chunks[i].arena, chunks[i].state))
            add(sizes, chunks[i].size, 1);
    return true;
}

static void sizes_count_used(struct chunk_sink *sink, uint32_t arena, uint64_t size, uint64_t count)
{
    struct sizes *sizes = (struct sizes *)sink;
    if (is_wanted(&sizes->filter, arena, CHUNK_IN_USE))
        add(sizes, size, count);
}

static void sizes_restart(struct chunk_sink *sink)
{
    struct sizes *sizes = (struct sizes *)sink;
    const struct sizes_filter filter = sizes->filter;
    sizes_begin(sizes, &filter);
}

void sizes_begin(struct sizes *sizes, const struct sizes_filter *filter)
{
    memset(sizes, 0, sizeof *sizes);
    sizes->sink = (struct chunk_sink){
        .consume = sizes_consume, .restart = sizes_restart, .count_used = sizes_count_used};
    sizes->filter = *filter;
}

static int by_bytes_falling(const void *left, const void *right)
{
    const struct size_row *a = left, *b = right;
    if (a->tally.bytes != b->tally.bytes)
        return a->tally.bytes < b->tally.bytes ? 1 : -1;
    return a->size < b->size ? -1 : a->size > b->size;
}

static uint32_t fill_rows(const struct sizes *sizes, struct size_row *rows)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof sizes->counts / sizeof *sizes->counts; i++)
        if (sizes->counts[i])
            rows[count++] =
                (struct size_row){.size = i * 8, .tally = {sizes->counts[i], sizes->counts[i] * i * 8}};
    for (uint32_t i = 0; i < sizes->large_count; i++) {
        uint64_t size = sizes->large_sizes[i], bytes = sizes->large_weights[i] - sizes->large_errors[i];
        rows[count++] = (struct size_row){
            .size = size, .tally = {bytes / size, bytes}, .error_bytes = sizes->large_errors[i]};
    }
    return count;
}

enum status sizes_list(const struct sizes *sizes, uint32_t top, struct size_list *ret, struct error *err)
{
    size_t most = sizeof sizes->counts / sizeof *sizes->counts + SIZES_LARGE_MAX;
    struct size_row *rows = calloc(most, sizeof *rows);
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sizes");
    uint32_t count = fill_rows(sizes, rows);
    qsort(rows, count, sizeof *rows, by_bytes_falling);
    *ret = (struct size_list){
        .rows = rows, .count = count < top ? count : top, .rest = sizes->total, .total = sizes->total};
    for (uint32_t i = 0; i < ret->count; i++) {
        ret->rest.chunks -= rows[i].tally.chunks;
        ret->rest.bytes -= rows[i].tally.bytes;
    }
    return STATUS_OK;
}

void size_list_deinit(struct size_list *list)
{
    free(list->rows);
    *list = (struct size_list){0};
}
