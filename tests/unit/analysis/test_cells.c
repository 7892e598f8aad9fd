/* test_cells.c - a map has about as many cells as are wanted, loses no byte, and tells no address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analysis/cells.h"

static void give(struct cells *cells, uint64_t address, uint64_t size, uint32_t arena, uint8_t state)
{
    const struct chunk chunk = {.address = address, .size = size, .arena = arena, .state = state};
    assert_true(cells->sink.consume(&cells->sink, &chunk, 1));
}

static struct snapshot *heaps_at(uint64_t first, uint64_t second, uint64_t bytes)
{
    struct snapshot *snapshot = snapshot_new(2, 0, 2, 0);
    assert_non_null(snapshot);
    snapshot_heaps(snapshot)[0] = (struct heap_numbers){.start = first, .end = first + bytes, .arena = 0};
    snapshot_heaps(snapshot)[1] = (struct heap_numbers){.start = second, .end = second + bytes, .arena = 1};
    return snapshot;
}

/* Two heaps of @bytes in chunks of 48 bytes, one of them with a hole; the sum of all cells. */
static struct heap_map map_of(uint64_t first, uint64_t second, uint64_t bytes, uint32_t wanted)
{
    struct cells cells;
    struct heap_map map;
    struct error err = {0};
    struct snapshot *snapshot = heaps_at(first, second, bytes);
    assert_int_equal(cells_begin(&cells, wanted, &err), STATUS_OK);
    for (uint64_t at = 0; at + 48 <= bytes; at += 48) {
        give(&cells, first + at, 48, 0, at % 96 ? CHUNK_IN_USE : CHUNK_SMALL);
    }
    give(&cells, second, 1000 * 16, 1, CHUNK_LARGE);
    give(&cells, second + 1000000, 4096, 1, CHUNK_TOP);
    give(&cells, second + (1u << 30), 8192, CHUNK_NO_ARENA, CHUNK_MMAPPED);
    assert_int_equal(cells_map(&cells, snapshot, &map, &err), STATUS_OK);
    cells_end(&cells);
    snapshot_unref(snapshot);
    return map;
}

static uint64_t sum(const struct heap_map *map, int state)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        bytes += map->cells[i].bytes[state];
    }
    return bytes;
}

static void test_sums(void **state)
{
    (void)state;
    for (uint32_t wanted = 1; wanted <= 256; wanted *= 4) {
        struct heap_map map = map_of(0x10000010, 0x7f0000000030, 2000000, wanted);
        assert_int_equal(sum(&map, CHUNK_IN_USE) + sum(&map, CHUNK_SMALL), 2000000 / 48 * 48);
        assert_int_equal(sum(&map, CHUNK_LARGE), 16000);
        assert_int_equal(sum(&map, CHUNK_TOP), 4096);
        assert_int_equal(sum(&map, CHUNK_MMAPPED), 8192);
        assert_int_equal(map.left_out.bytes, 0);
        assert_true(map.count <= wanted + 4);
        const struct heap_map_cell *top = &map.cells[map.count - 2], *mmapped = &map.cells[map.count - 1];
        assert_int_equal(top->arena, 1);
        assert_int_equal(top->heap, 0);
        assert_int_equal(top->offset, 1000000);
        assert_int_equal(mmapped->heap, HEAP_MAP_NO_HEAP);
        heap_map_deinit(&map);
    }
}

/* The same heaps elsewhere give the same map. */
static void test_no_address(void **state)
{
    (void)state;
    struct heap_map one = map_of(0x10000010, 0x7f0000000030, 2000000, 64);
    struct heap_map other = map_of(0x5555000a7310, 0x7f1234567830, 2000000, 64);
    assert_int_equal(one.count, other.count);
    assert_memory_equal(one.cells, other.cells, one.count * sizeof *one.cells);
    heap_map_deinit(&one);
    heap_map_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
