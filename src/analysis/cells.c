/* cells.c - see cells.h. */
#include "analysis/cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define CELL_BYTES_LEAST 4096u
/* cells of so many bytes do not grow: then there are many heaps, not large ones */
#define CELL_BYTES_MOST (UINT64_C(1) << 40)
/* cells kept beyond those wanted, where the heaps of many arenas have one each */
#define ROOM_SPARE 4096u

/* A gap between chunks above which what follows is a stretch of its own: fenceposts are less. */
#define GAP_MOST 4096u

/** The chunks in one cell of a stretch: memory of one arena without a gap. */
struct cell {
    uint64_t origin; /* the address of the stretch's first chunk */
    uint64_t index;  /* of the cell in it */
    uint32_t arena;
    uint64_t chunks;
    uint64_t bytes[CHUNK_STATE_COUNT];
};

static void cell_add(struct cell *cell, const struct cell *other)
{
    cell->chunks += other->chunks;
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        cell->bytes[state] += other->bytes[state];
}

/* Make cells of twice the size. */
static void coarsen(struct cells *cells)
{
    size_t kept = 0;
    cells->cell_bytes *= 2;
    for (size_t i = 0; i < cells->count; i++) {
        struct cell cell = cells->rows[i];
        cell.index /= 2;
        struct cell *last = kept > 0 ? &cells->rows[kept - 1] : NULL;
        if (last && last->origin == cell.origin && last->index == cell.index)
            cell_add(last, &cell);
        else
            cells->rows[kept++] = cell;
    }
    cells->count = kept;
}

static struct cell *last_if_it_is(struct cells *cells, uint64_t address)
{
    struct cell *last = cells->count > 0 ? &cells->rows[cells->count - 1] : NULL;
    bool is_it =
        last && last->origin == cells->origin && last->index == (address - cells->origin) / cells->cell_bytes;
    return is_it ? last : NULL;
}

/* The cell at @address of the stretch under way, the last one or a new one; NULL: there is no room. */
static struct cell *cell_at(struct cells *cells, uint64_t address, uint32_t arena)
{
    struct cell *last = last_if_it_is(cells, address);
    while (!last && cells->count >= cells->wanted && cells->cell_bytes < CELL_BYTES_MOST) {
        coarsen(cells);
        last = last_if_it_is(cells, address);
    }
    if (last || cells->count == cells->room)
        return last;
    cells->rows[cells->count] = (struct cell){
        .origin = cells->origin, .index = (address - cells->origin) / cells->cell_bytes, .arena = arena};
    return &cells->rows[cells->count++];
}

static void add_chunk(struct cells *cells, const struct chunk *chunk)
{
    uint64_t at = chunk->address, end = chunk->address + chunk->size;
    if (chunk->arena != cells->arena || at - cells->end > GAP_MOST || cells->end == 0) {
        cells->origin = at;
        cells->arena = chunk->arena;
    }
    cells->end = end;
    struct cell *cell = cell_at(cells, at, chunk->arena);
    if (cell)
        cell->chunks++;
    else
        cells->left_out.chunks++;
    while (cell && at < end) {
        uint64_t cell_end = cells->origin + (cell->index + 1) * cells->cell_bytes;
        uint64_t part = min_u64(end, cell_end) - at;
        cell->bytes[chunk->state] += part;
        at += part;
        if (at < end)
            cell = cell_at(cells, at, chunk->arena);
    }
    cells->left_out.bytes += end - at;
}

static bool cells_consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct cells *cells = (struct cells *)sink;
    for (size_t i = 0; i < count; i++) {
        if (chunks[i].state == CHUNK_MMAPPED) {
            cells->mmapped.chunks++;
            cells->mmapped.bytes += chunks[i].size;
        } else {
            add_chunk(cells, &chunks[i]);
        }
    }
    return true;
}

static void cells_restart(struct chunk_sink *sink)
{
    struct cells *cells = (struct cells *)sink;
    cells->count = 0;
    cells->cell_bytes = CELL_BYTES_LEAST;
    cells->left_out = cells->mmapped = (struct tally){0};
    cells->origin = cells->end = 0;
}

enum status cells_begin(struct cells *cells, uint32_t wanted, struct error *err)
{
    *cells = (struct cells){.sink = {.consume = cells_consume, .restart = cells_restart},
                            .wanted = wanted,
                            .cell_bytes = CELL_BYTES_LEAST,
                            .room = wanted + ROOM_SPARE};
    cells->rows = calloc(cells->room, sizeof *cells->rows);
    return cells->rows ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a map of the heap");
}

void cells_end(struct cells *cells)
{
    free(cells->rows);
    cells->rows = NULL;
}

/* Name the place of a cell: the heap of its arena that its stretch lies in. */
static void name_place(const struct cell *cell, uint64_t cell_bytes, const struct snapshot *snapshot,
                       struct heap_map_cell *ret)
{
    const struct heap_numbers *heaps = snapshot_heaps(snapshot);
    uint32_t number = 0;
    for (uint32_t i = 0; i < snapshot->heap_count; i++) {
        if (heaps[i].arena != cell->arena)
            continue;
        if (cell->origin >= heaps[i].start && cell->origin < heaps[i].end) {
            ret->heap = number;
            ret->offset = cell->origin - heaps[i].start + cell->index * cell_bytes;
            return;
        }
        number++;
    }
}

static void fill_map(const struct cells *cells, const struct snapshot *snapshot, struct heap_map *map)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct cell *cell = &cells->rows[i];
        struct heap_map_cell *row = &map->cells[map->count++];
        *row = (struct heap_map_cell){.arena = cell->arena, .heap = HEAP_MAP_NO_HEAP, .chunks = cell->chunks};
        memcpy(row->bytes, cell->bytes, sizeof row->bytes);
        name_place(cell, cells->cell_bytes, snapshot, row);
    }
    if (cells->mmapped.chunks == 0)
        return;
    struct heap_map_cell *row = &map->cells[map->count++];
    *row = (struct heap_map_cell){
        .arena = CHUNK_NO_ARENA, .heap = HEAP_MAP_NO_HEAP, .chunks = cells->mmapped.chunks};
    row->bytes[CHUNK_MMAPPED] = cells->mmapped.bytes;
}

enum status cells_map(const struct cells *cells, const struct snapshot *snapshot, struct heap_map *ret,
                      struct error *err)
{
    struct heap_map map = {.cell_bytes = cells->cell_bytes, .left_out = cells->left_out};
    map.cells = calloc(cells->count + 1, sizeof *map.cells);
    if (!map.cells)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a map of the heap");
    fill_map(cells, snapshot, &map);
    *ret = map;
    return STATUS_OK;
}

void heap_map_deinit(struct heap_map *map)
{
    free(map->cells);
    *map = (struct heap_map){0};
}
