/*
 * validate.c - whether bytes from another role are a whole snapshot.
 *
 * Everything is copied out before it is looked at: the bytes may lie unaligned, and a bool that holds
 * neither 0 nor 1 must not be read as one.
 */
#include "snapshot/snapshot.h"

#include <math.h>
#include <string.h>

/* bool is one byte; its value is looked at as a byte. */
static bool is_bool(const bool *value)
{
    unsigned char byte;
    memcpy(&byte, value, 1);
    return byte <= 1;
}

static bool has_end(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

static bool labels_are_valid(const struct process_labels *labels)
{
#define ENDS(field) has_end(labels->field, sizeof(labels->field))
    return ENDS(comm) && ENDS(exe) && ENDS(allocator) && ENDS(libc_version) && ENDS(unit) &&
           ENDS(container_id) && ENDS(pod_uid);
#undef ENDS
}

static bool numbers_are_valid(const struct scan_numbers *numbers)
{
    if (numbers->found_by >= FOUND_BY_COUNT || !is_bool(&numbers->arenas_limit.is_known))
        return false;
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if (!is_bool(&numbers->checks[i].is_known) || !is_bool(&numbers->checks[i].is_reconciled))
            return false;
    const struct completeness *completeness = &numbers->completeness;
    for (unsigned i = 0; i < COMPLETENESS_NOTES_MAX && i < completeness->notes_count; i++)
        if (completeness->notes[i].kind >= NOTE_COUNT)
            return false;
    return true;
}

static bool head_is_valid(const struct snapshot *head)
{
    return head->pid > 0 && isfinite(head->start_time_seconds) && labels_are_valid(&head->labels) &&
           numbers_are_valid(&head->numbers) && head->timing.mode < CONSISTENCY_COUNT &&
           head->timing.why < MODE_WHY_COUNT;
}

static bool arena_is_valid(const void *data, uint32_t arenas)
{
    struct arena_numbers arena;
    memcpy(&arena, data, sizeof(arena));
    return arena.index < arenas && is_bool(&arena.attached_threads.is_known);
}

static bool bin_is_valid(const void *data, uint32_t arenas)
{
    struct bin_numbers bin;
    memcpy(&bin, data, sizeof(bin));
    return bin.arena < arenas && bin.kind <= BIN_LARGE && bin.bin <= 126;
}

static bool heap_is_valid(const void *data, uint32_t arenas)
{
    struct heap_numbers heap;
    memcpy(&heap, data, sizeof(heap));
    return heap.arena < arenas && heap.start <= heap.end;
}

static bool tcache_is_valid(const void *data, uint32_t arenas)
{
    struct tcache_numbers tcache;
    (void)arenas;
    memcpy(&tcache, data, sizeof(tcache));
    return tcache.tid >= 0;
}

bool snapshot_is_valid(const void *data, size_t length)
{
    struct snapshot head;
    if (length < sizeof(head))
        return false;
    memcpy(&head, data, sizeof(head));

    const struct {
        uint64_t count;
        size_t size;
        bool (*is_valid)(const void *data, uint32_t arenas);
    } arrays[] = {
        {head.arena_count, sizeof(struct arena_numbers), arena_is_valid},
        {head.bin_count, sizeof(struct bin_numbers), bin_is_valid},
        {head.heap_count, sizeof(struct heap_numbers), heap_is_valid},
        {head.tcache_count, sizeof(struct tcache_numbers), tcache_is_valid},
    };
    uint64_t need = sizeof(head);
    for (unsigned i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        need += arrays[i].count * arrays[i].size; /* 32-bit counts: cannot wrap */
    if (need != length || head.total_bytes != length || !head_is_valid(&head))
        return false;

    const char *at = (const char *)data + sizeof(head);
    for (unsigned i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        for (uint64_t j = 0; j < arrays[i].count; j++, at += arrays[i].size)
            if (!arrays[i].is_valid(at, head.arena_count))
                return false;
    return true;
}
