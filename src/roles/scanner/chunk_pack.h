/*
 * chunk_pack.h - chunks packed into a bounded block of memory while their process stands still, to be sent
 * after it was let go.
 *
 * A chunk takes 3 to 5 bytes where it follows its neighbour, some 12 else.
 */
#ifndef ROLES_SCANNER_CHUNK_PACK_H
#define ROLES_SCANNER_CHUNK_PACK_H

#include "base/error.h"
#include "model/chunk.h"

/** Read-only for others. Give @sink to the walk. */
struct chunk_pack {
    struct chunk_sink sink;
    uint8_t *block;
    size_t size_bytes, used_bytes;
    struct chunk last;
    bool is_full; /* a chunk did not fit, and the walk was ended */
};

/** Take @size_bytes of memory from the system. chunk_pack_deinit() gives it back. */
enum status chunk_pack_init(struct chunk_pack *pack, size_t size_bytes, struct error *err) must_check;
void chunk_pack_deinit(struct chunk_pack *pack);

/** Hand all chunks to @to, in the order in which they came. False: it wanted no more. */
bool chunk_pack_send(const struct chunk_pack *pack, struct chunk_sink *to);

#endif
