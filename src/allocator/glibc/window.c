/* window.c - see window.h. */
#include "allocator/glibc/window.h"

#include "base/checked.h"
#include "base/reserve.h"

#define WINDOW_SMALLEST 8192u
/* above this many bytes a header, reading ahead costs more than another call */
#define BYTES_A_HEADER 16384u

enum status window_init(struct window *window, struct glibc_heap *heap, struct spare_map *spare,
                        struct error *err)
{
    void *data = spare_map_take(spare, WINDOW_BYTES);
    if (!data)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a window of %u bytes", WINDOW_BYTES);
    *window = (struct window){.heap = heap, .data = data, .spare = spare, .length = WINDOW_BYTES};
    return STATUS_OK;
}

void window_deinit(struct window *window)
{
    spare_map_give(window->spare, window->data, WINDOW_BYTES);
    window->data = NULL;
}

void window_forget(struct window *window)
{
    window->start = window->end = 0;
}

void window_restart(struct window *window)
{
    window_forget(window);
    window->length = WINDOW_BYTES;
}

static void adapt_length(struct window *window)
{
    if (window->end == window->start)
        return;
    if (window->headers * BYTES_A_HEADER < window->end - window->start)
        window->length = max_u64(window->length / 4, WINDOW_SMALLEST);
    else
        window->length = min_u64(window->length * 4, WINDOW_BYTES);
}

bool window_load(struct window *window, uint64_t address, uint64_t need, uint64_t limit)
{
    if (window_has(window, address, need))
        return true;
    struct glibc_heap *heap = window->heap;
    adapt_length(window);
    uint64_t start = align_down(address, heap->target->page_bytes);
    uint64_t end;
    window->headers = 0;
    window_forget(window);
    if (!checked_add(start, window->length, &end) || end > limit)
        end = limit;
    if (address + need < address || end < address + need)
        end = address + need;
    uint64_t readable = page_view_readable_run(heap->pages, start, end, heap->read_swapped);
    if (start + readable < address + need)
        return false;
    size_t got = target_read(heap->target, start, window->data, (size_t)min_u64(readable, WINDOW_BYTES));
    window->start = start;
    window->end = start + got;
    if (window_has(window, address, need))
        return true;
    window_forget(window);
    return false;
}
