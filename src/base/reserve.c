/* reserve.c - see reserve.h. A stack of blocks: one that is freed inside waits until those above are. */
#include "base/reserve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"

#define ALIGNMENT 16u
#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)

/* Head of a block; what was asked for follows. */
struct reserve_block {
    struct reserve_block *before;
    size_t bytes; /* head included */
    bool is_free;
} __attribute__((aligned(ALIGNMENT)));

static _Thread_local struct reserve *in_force;
/* those that the thread entered: by address they tell their memory from malloc's */
static _Thread_local struct reserve *all;

void reserve_forget(struct reserve *reserve)
{
    struct reserve **at = &all;
    while (*at && *at != reserve)
        at = &(*at)->next;
    if (*at)
        *at = reserve->next;
}

void reserve_deinit(struct reserve *reserve)
{
    if (reserve->data)
        munmap(reserve->data, reserve->room);
    reserve_forget(reserve);
    if (in_force == reserve)
        in_force = NULL;
    *reserve = (struct reserve){0};
}

/* A child that is forked must not have it: else each page would be copied at our next write to it, in a stop.
 */
static void keep_from_children(void *memory, size_t bytes)
{
    madvise(memory, bytes, MADV_DONTFORK);
}

static enum status take_memory(struct reserve *reserve, size_t bytes, bool is_measured, struct error *err)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (is_measured ? MAP_NORESERVE : 0);
    void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (data == MAP_FAILED)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a reserve of %zu bytes", bytes);
    keep_from_children(data, bytes);
    if (!is_measured) {
        madvise(data, bytes, MADV_HUGEPAGE);
        /* not by MAP_POPULATE, which comes before the advice and says nothing of what it could not have */
        for (size_t at = 0; at < bytes; at += 4096)
            *((volatile uint8_t *)data + at) = 0;
    }
    *reserve = (struct reserve){.data = data, .room = bytes};
    return STATUS_OK;
}

enum status reserve_prepare(struct reserve *reserve, size_t bytes, bool is_measured, struct error *err)
{
    if (bytes > reserve->room) {
        reserve_deinit(reserve);
        return take_memory(reserve, align_up(bytes, HUGE_PAGE_BYTES), is_measured, err);
    }
    memset(reserve->data, 0, reserve->touched);
    reserve->touched = reserve->peak = 0;
    reserve->is_exceeded = false;
    return STATUS_OK;
}

struct reserve *reserve_enter(struct reserve *reserve)
{
    struct reserve *before = in_force, *known = all;
    while (known && known != reserve)
        known = known->next;
    if (reserve && !known) {
        reserve->next = all;
        all = reserve;
    }
    in_force = reserve;
    return before;
}

/* A block behind the last one; *@clean_from: its bytes from there on are zero. */
static void *push(struct reserve *reserve, size_t bytes, size_t *clean_from)
{
    uint64_t whole;
    if (!checked_add(bytes, sizeof(struct reserve_block) + ALIGNMENT - 1, &whole) ||
        align_down(whole, ALIGNMENT) > reserve->room - reserve->used) {
        reserve->is_exceeded = true;
        return NULL;
    }
    struct reserve_block *block = (void *)(reserve->data + reserve->used);
    size_t begin = reserve->used + sizeof *block;
    reserve->used += align_down(whole, ALIGNMENT);
    *clean_from = reserve->touched > begin ? reserve->touched - begin : 0;
    reserve->touched = max_u64(reserve->touched, reserve->used);
    reserve->peak = max_u64(reserve->peak, reserve->used);
    *block = (struct reserve_block){.before = reserve->last, .bytes = align_down(whole, ALIGNMENT)};
    reserve->last = block;
    return block + 1;
}

static void pop(struct reserve *reserve)
{
    while (reserve->last && reserve->last->is_free) {
        reserve->used -= reserve->last->bytes;
        reserve->last = reserve->last->before;
    }
}

void *reserve_calloc(size_t count, size_t bytes)
{
    uint64_t sum;
    size_t clean_from;
    if (!in_force)
        return calloc(count, bytes);
    if (!checked_mul(count, bytes, &sum)) {
        in_force->is_exceeded = true;
        return NULL;
    }
    void *memory = push(in_force, sum, &clean_from);
    if (memory)
        memset(memory, 0, min_u64(sum, clean_from));
    return memory;
}

void *reserve_map(size_t bytes, bool is_huge)
{
    if (in_force)
        return reserve_calloc(1, bytes);
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    keep_from_children(memory, bytes);
    if (is_huge)
        madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

void reserve_bring_in(void *memory, size_t bytes)
{
    if (!in_force)
        madvise(memory, bytes, MADV_POPULATE_WRITE);
}

static bool has(const struct reserve *reserve, const void *memory)
{
    const uint8_t *at = memory;
    return at >= reserve->data && at < reserve->data + reserve->room;
}

static struct reserve *owner_of(const void *memory)
{
    struct reserve *reserve = all;
    while (reserve && !has(reserve, memory))
        reserve = reserve->next;
    return reserve;
}

void *reserve_resize(void *memory, size_t old_bytes, size_t bytes)
{
    struct reserve *owner = memory ? owner_of(memory) : NULL;
    size_t clean_from;
    if (!in_force && !owner)
        return realloc(memory, bytes);
    if (owner && owner == in_force && (struct reserve_block *)memory - 1 == owner->last) {
        /* the last one grows where it lies */
        struct reserve_block *block = owner->last;
        owner->used -= block->bytes;
        owner->last = block->before;
        void *grown = push(owner, bytes, &clean_from);
        if (!grown) {
            owner->last = block;
            owner->used += block->bytes;
        }
        return grown;
    }
    void *copy = in_force ? push(in_force, bytes, &clean_from) : malloc(bytes);
    if (!copy)
        return NULL;
    if (memory)
        memcpy(copy, memory, min_u64(old_bytes, bytes));
    reserve_free(memory);
    return copy;
}

void reserve_unmap(void *memory, size_t bytes)
{
    if (memory && owner_of(memory))
        reserve_free(memory);
    else if (memory)
        munmap(memory, bytes);
}

void *spare_map_take(struct spare_map *spare, size_t bytes)
{
    if (in_force || !spare || !spare->memory || spare->bytes != bytes)
        return reserve_map(bytes, false);
    void *memory = spare->memory;
    spare->memory = NULL;
    return memory;
}

void spare_map_give(struct spare_map *spare, void *memory, size_t bytes)
{
    if (!memory || !spare || owner_of(memory)) {
        reserve_unmap(memory, bytes);
        return;
    }
    spare_map_deinit(spare);
    *spare = (struct spare_map){.memory = memory, .bytes = bytes};
}

void spare_map_deinit(struct spare_map *spare)
{
    if (spare->memory)
        munmap(spare->memory, spare->bytes);
    spare->memory = NULL;
}

void reserve_free(void *memory)
{
    struct reserve *owner = memory ? owner_of(memory) : NULL;
    if (!owner) {
        free(memory);
        return;
    }
    ((struct reserve_block *)memory - 1)->is_free = true;
    pop(owner);
}
