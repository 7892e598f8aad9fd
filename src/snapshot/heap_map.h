/* heap_map.h - where in its heaps a process has what, summed by cells of memory: plain data, no address. */
#ifndef SNAPSHOT_HEAP_MAP_H
#define SNAPSHOT_HEAP_MAP_H

#include "snapshot/snapshot.h"

/** `heap` of a cell that lies in none: mmapped chunks. */
#define HEAP_MAP_NO_HEAP UINT32_MAX

/** A cell of @cell_bytes of the map: the bytes of chunks of each state in it. */
struct heap_map_cell {
    uint32_t arena;  /* CHUNK_NO_ARENA: mmapped */
    uint32_t heap;   /* of that arena, from 0 by address; HEAP_MAP_NO_HEAP */
    uint64_t offset; /* from the heap's start; in no heap: 0 */
    uint64_t chunks; /* that begin in it */
    uint64_t bytes[CHUNK_STATE_COUNT];
};

/** Cells by rising address, then one for all mmapped chunks, where there are any. */
struct heap_map {
    struct heap_map_cell *cells; /* owned */
    uint32_t count;
    uint64_t cell_bytes;
    struct tally left_out; /* chunks of heaps beyond what a map can hold */
};

#endif
