/*
 * chunk_pack.c - see chunk_pack.h.
 *
 * A record: a byte of flags (state, prev_in_use, whether the arena and the distance follow), the arena and
 * the distance from the end of the chunk before where they changed, the size; numbers as little-endian base
 * 128. Header bytes are a flag too: 8 or 16.
 */
#include "roles/scanner/chunk_pack.h"

#include <string.h>

#include "base/reserve.h"

#define FLAG_STATE 0x07u
#define FLAG_PREV_IN_USE 0x08u
#define FLAG_ARENA 0x10u
#define FLAG_DISTANCE 0x20u
#define FLAG_NARROW 0x40u
#define RECORD_BYTES_MAX 32
#define BATCH 256

_Static_assert(CHUNK_STATE_COUNT <= FLAG_STATE + 1, "a state must fit into its bits");

static uint8_t *put_number(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static const uint8_t *get_number(const uint8_t *at, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        value |= (uint64_t)(*at & 0x7f) << shift;
        if (!(*at++ & 0x80))
            break;
    }
    *ret = value;
    return at;
}

static uint8_t *put_chunk(uint8_t *at, const struct chunk *last, const struct chunk *chunk)
{
    uint64_t distance = chunk->address - (last->address + last->size);
    uint8_t flags = chunk->state & FLAG_STATE;
    flags |= chunk->prev_in_use ? FLAG_PREV_IN_USE : 0;
    flags |= chunk->arena != last->arena ? FLAG_ARENA : 0;
    flags |= distance ? FLAG_DISTANCE : 0;
    flags |= chunk->header_bytes == 8 ? FLAG_NARROW : 0;
    *at++ = flags;
    if (flags & FLAG_ARENA)
        at = put_number(at, chunk->arena);
    if (distance)
        at = put_number(at, distance);
    return put_number(at, chunk->size);
}

static const uint8_t *get_chunk(const uint8_t *at, const struct chunk *last, struct chunk *ret)
{
    uint8_t flags = *at++;
    uint64_t arena = last->arena, distance = 0;
    if (flags & FLAG_ARENA)
        at = get_number(at, &arena);
    if (flags & FLAG_DISTANCE)
        at = get_number(at, &distance);
    ret->address = last->address + last->size + distance;
    ret->arena = (uint32_t)arena;
    ret->state = flags & FLAG_STATE;
    ret->prev_in_use = (flags & FLAG_PREV_IN_USE) != 0;
    ret->header_bytes = flags & FLAG_NARROW ? 8 : 16;
    return get_number(at, &ret->size);
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct chunk_pack *pack = (struct chunk_pack *)sink;
    for (size_t i = 0; i < count; i++) {
        if (pack->size_bytes - pack->used_bytes < RECORD_BYTES_MAX) {
            pack->is_full = true;
            return false;
        }
        uint8_t *at = pack->block + pack->used_bytes;
        pack->used_bytes += (size_t)(put_chunk(at, &pack->last, &chunks[i]) - at);
        pack->last = chunks[i];
    }
    return true;
}

static void restart(struct chunk_sink *sink)
{
    struct chunk_pack *pack = (struct chunk_pack *)sink;
    pack->used_bytes = 0;
    pack->last = (struct chunk){0};
    pack->is_full = false;
}

enum status chunk_pack_init(struct chunk_pack *pack, size_t size_bytes, struct error *err)
{
    *pack = (struct chunk_pack){.sink = {consume, restart}, .size_bytes = size_bytes};
    pack->block = reserve_map(size_bytes, false);
    if (!pack->block)
        return error_set(err, STATUS_NO_MEMORY, "no memory: %zu bytes for the chunks of a snapshot",
                         size_bytes);
    return STATUS_OK;
}

void chunk_pack_deinit(struct chunk_pack *pack)
{
    reserve_unmap(pack->block, pack->size_bytes);
    pack->block = NULL;
}

bool chunk_pack_send(const struct chunk_pack *pack, struct chunk_sink *to)
{
    struct chunk batch[BATCH];
    struct chunk last = {0};
    size_t count = 0;
    for (const uint8_t *at = pack->block, *end = at + pack->used_bytes; at < end;) {
        at = get_chunk(at, &last, &batch[count]);
        last = batch[count++];
        if (count < BATCH)
            continue;
        if (!to->consume(to, batch, count))
            return false;
        count = 0;
    }
    return count == 0 || to->consume(to, batch, count);
}
