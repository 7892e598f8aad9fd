/* arena_part.c - see arena_part.h. */
#include "allocator/glibc/arena_part.h"

#include <string.h>

#include "base/checked.h"

void arena_part_begin(struct glibc_arena *part, uint8_t *state, const struct glibc_arena *whole,
                      const struct glibc_layout *layout)
{
    *part = *whole;
    part->state = state;
    memcpy(state, whole->state, (size_t)layout->state.size);
    part->has_moved = part->is_lost = false;
    part->heaps = 0;
    part->overhead_bytes = part->unread_bytes = part->walked_end_difference = 0;
    memset(part->bins, 0, sizeof part->bins);
    memset(part->fast, 0, sizeof part->fast);
}

static void add_sums(struct bin_sums *sums, const struct bin_sums *part)
{
    if (part->tally.chunks == 0)
        return;
    sums->min_bytes = sums->tally.chunks ? min_u64(sums->min_bytes, part->min_bytes) : part->min_bytes;
    sums->max_bytes = max_u64(sums->max_bytes, part->max_bytes);
    sums->tally.chunks += part->tally.chunks;
    sums->tally.bytes += part->tally.bytes;
    sums->address_sum += part->address_sum;
    sums->fd_sum += part->fd_sum;
    sums->bk_sum += part->bk_sum;
}

static void take_books(struct glibc_arena *whole, const struct glibc_arena *part,
                       const struct glibc_layout *layout)
{
    memcpy(whole->state, part->state, (size_t)layout->state.size);
    whole->has_moved = true;
    whole->flags = part->flags;
    whole->mutex = part->mutex;
    whole->top_addr = part->top_addr;
    whole->top_bytes = part->top_bytes;
    whole->is_top_initial = part->is_top_initial;
    whole->system_bytes = part->system_bytes;
    whole->system_peak_bytes = part->system_peak_bytes;
    whole->attached_threads = part->attached_threads;
    memcpy(whole->fastbins, part->fastbins, sizeof whole->fastbins);
}

void arena_part_add(struct glibc_arena *whole, const struct glibc_arena *part,
                    const struct glibc_layout *layout)
{
    if (part->has_moved)
        take_books(whole, part, layout);
    whole->is_lost = whole->is_lost || part->is_lost;
    whole->heaps += part->heaps;
    whole->overhead_bytes += part->overhead_bytes;
    whole->unread_bytes += part->unread_bytes;
    whole->walked_end_difference += part->walked_end_difference;
    for (unsigned bin = 0; bin < GLIBC_BIN_COUNT; bin++)
        add_sums(&whole->bins[bin], &part->bins[bin]);
}
