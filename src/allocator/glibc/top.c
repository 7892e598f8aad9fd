/* top.c - see top.h. */
#include "allocator/glibc/top.h"

#include "base/checked.h"

uint64_t top_bytes_of(const struct glibc_heap *heap, uint64_t address, uint64_t field)
{
    uint64_t size = field & ~(uint64_t)CHUNK_FLAGS;
    bool is_top = (field & CHUNK_PREV_IN_USE) && size >= heap->layout->min_size &&
                  is_aligned(address + size, heap->target->page_bytes);
    return is_top ? size : 0;
}

static bool is_headless(const struct walk_chain *chain)
{
    return chain->arena->top_addr == chain->limit && chain->arena->top_bytes == 0;
}

bool top_is_unfinished(const struct walk_chain *chain)
{
    uint64_t size = chain->field & ~(uint64_t)CHUNK_FLAGS;
    if (!chain->has_top)
        return false;
    return chain->at == chain->limit ? is_headless(chain)
                                     : chain->at < chain->limit && chain->at + size == chain->end;
}

bool top_is_piece_at(const struct walk_chain *chain)
{
    const struct walk *walk = chain->walk;
    const struct glibc_layout *layout = walk->heap->layout;
    uint64_t size = chain->field & ~(uint64_t)CHUNK_FLAGS, bytes = chain->limit - chain->at;
    if (!chain->has_top || chain->at >= chain->limit || bytes < layout->min_size ||
        !is_aligned(bytes, layout->alignment))
        return false;
    bool is_listed = chain->has_marks && marks_get(walk->marks, chain->segment, chain->at) != MARK_NONE;
    return !is_listed && (top_is_unfinished(chain) || (size == bytes && is_headless(chain)));
}

bool top_pass_piece(struct walk_chain *chain)
{
    struct walk *walk = chain->walk;
    const struct chunk piece = {.address = chain->at,
                                .size = chain->limit - chain->at,
                                .arena = chain->arena->index,
                                .state = CHUNK_IN_USE,
                                .prev_in_use = chain->field & CHUNK_PREV_IN_USE,
                                .header_bytes = (uint8_t)heap_header_bytes(walk->heap)};
    bool is_old_top = top_is_unfinished(chain);
    /* in a slice of time no lists are followed, and behind top there is nothing to mark */
    if (walk->pause_at_ns == UINT64_MAX && chain_enter_slice(chain, chain->limit, NULL) != STATUS_OK)
        return false;
    if (!chain_seek(chain, chain->limit))
        return false;
    walk_emit(walk, &piece);
    chain->has_cut_top = is_old_top;
    return true;
}

/*
 * A thread may be about to write the header. That is sure where the piece has none either; else it may be
 * damage, which is claimed where all stands still.
 */
static void lose_top(struct walk_chain *chain)
{
    struct glibc_heap *heap = chain->walk->heap;
    chain->arena->is_lost = true;
    chain->arena->unread_bytes += chain->end - chain->at;
    if (heap->is_held && !chain->has_cut_top)
        heap_note_corrupt(heap, NOTE_BAD_SIZE, chain->at, chain->arena->index);
    else
        completeness_note(&heap->completeness, NOTE_BAD_SIZE, chain->at, chain->arena->index);
}

/* What top has from chain->at on, by the books that were read last: those of a live heap may have moved top
 * away, or back before what was walked by then. */
static uint64_t bytes_from_here(const struct walk_chain *chain)
{
    if (chain->at > chain->limit)
        return chain->end - min_u64(chain->at, chain->end);
    if (chain->arena->top_addr != chain->limit)
        return chain->field & ~(uint64_t)CHUNK_FLAGS;
    return chain->arena->top_bytes;
}

void top_take(struct walk_chain *chain)
{
    if (top_is_unfinished(chain)) {
        lose_top(chain);
        return;
    }
    uint64_t size = bytes_from_here(chain), rest = chain->end - min_u64(chain->at, chain->end);
    chain->arena->walked_end_difference += distance_u64(size, rest);
    struct chunk top = {.address = chain->at,
                        .size = min_u64(size, rest),
                        .arena = chain->arena->index,
                        .state = CHUNK_TOP,
                        .prev_in_use = chain->field & CHUNK_PREV_IN_USE,
                        .header_bytes = (uint8_t)heap_header_bytes(chain->walk->heap)};
    if (top.size > 0)
        walk_emit(chain->walk, &top);
}
