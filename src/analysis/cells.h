/*
 * cells.h - a sink that sums chunks up by cells of memory, in one pass and bounded memory.
 *
 * Cells begin small; where there are more than wanted, their size doubles and neighbours become one. They are
 * counted from the first chunk of each stretch of memory, so that they tell nothing of where that lies.
 */
#ifndef ANALYSIS_CELLS_H
#define ANALYSIS_CELLS_H

#include "base/error.h"
#include "model/chunk.h"
#include "snapshot/heap_map.h"

/** Most cells that can be wanted. Cells of different stretches stay apart: there may be more of them. */
#define CELLS_WANTED_MAX 4096u

struct cell;

/** A map under way. */
struct cells {
    struct chunk_sink sink; /* first */
    uint32_t wanted;
    uint64_t cell_bytes;
    struct cell *rows; /* by rising address; owned */
    size_t count, room;
    struct tally left_out, mmapped;
    uint64_t origin, end; /* of the stretch under way: its first chunk, and the end of its last */
    uint32_t arena;
};

/** Begin a map of about @wanted cells (1 to CELLS_WANTED_MAX). cells_end() ends it. STATUS_NO_MEMORY. */
enum status cells_begin(struct cells *cells, uint32_t wanted, struct error *err) must_check;
void cells_end(struct cells *cells);

/**
 * The map, its places named by the heaps of @snapshot, the result of the same scan, made with details.
 * heap_map_deinit() ends *@ret. STATUS_NO_MEMORY.
 */
enum status cells_map(const struct cells *cells, const struct snapshot *snapshot, struct heap_map *ret,
                      struct error *err) must_check;
void heap_map_deinit(struct heap_map *map);

#endif
