/* summary.c - see summary.h. */
#include "encode/summary.h"

static void put_count(struct report *report, const char *key, const char *label, uint64_t value)
{
    report_key(report, key, label);
    report_count(report, value);
}

static void put_bytes(struct report *report, const char *key, const char *label, uint64_t value)
{
    report_key(report, key, label);
    report_bytes(report, value);
}

static void put_head(struct report *report, const struct snapshot *snapshot)
{
    put_count(report, "pid", "pid", (uint64_t)snapshot->pid);
    report_key(report, "comm", "comm");
    report_text(report, snapshot->labels.comm);
    report_key(report, "last_scan_mode", NULL);
    report_text(report, consistency_name((enum consistency)snapshot->timing.mode));
    report_key(report, "last_scan_complete", "complete");
    report_count(report, snapshot->numbers.is_complete);
}

void summary_sizes(struct report *report, const struct snapshot *snapshot, const struct size_list *list)
{
    static const struct report_column COLUMNS[] = {
        {"size", "SIZE", 12, true},
        {"chunks", "CHUNKS", 12, true},
        {"bytes", "BYTES", 12, true},
        {"error_bytes", "ERROR", 12, true},
    };
    put_head(report, snapshot);
    put_count(report, "total_chunks", "chunks", list->total.chunks);
    put_bytes(report, "total_bytes", "bytes", list->total.bytes);
    put_count(report, "rest_chunks", "of other sizes", list->rest.chunks);
    put_bytes(report, "rest_bytes", "their bytes", list->rest.bytes);
    put_bytes(report, "exact_up_to_bytes", "exact up to", SIZE_LIST_EXACT_BYTES);
    report_table(report, "sizes", COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    for (uint32_t i = 0; i < list->count; i++) {
        report_count(report, list->rows[i].size);
        report_count(report, list->rows[i].tally.chunks);
        report_bytes(report, list->rows[i].tally.bytes);
        report_bytes(report, list->rows[i].error_bytes);
    }
    report_table_end(report);
}

static void put_index(struct report *report, uint32_t index, uint32_t none)
{
    if (index == none)
        report_none(report);
    else
        report_count(report, index);
}

void summary_heap_map(struct report *report, const struct snapshot *snapshot, const struct heap_map *map)
{
    static const struct report_column COLUMNS[] = {{"arena", "ARENA", 6, true},
                                                   {"heap", "HEAP", 6, true},
                                                   {"offset", "OFFSET", 14, true},
                                                   {"chunks", "CHUNKS", 10, true},
#define X(name, label, is_free) {label, label, 10, true},
                                                   CHUNK_STATE_TABLE(X)
#undef X
    };
    put_head(report, snapshot);
    put_bytes(report, "cell_bytes", "bytes a cell", map->cell_bytes);
    put_count(report, "left_out_chunks", "left out", map->left_out.chunks);
    put_bytes(report, "left_out_bytes", "their bytes", map->left_out.bytes);
    report_table(report, "cells", COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct heap_map_cell *cell = &map->cells[i];
        put_index(report, cell->arena, CHUNK_NO_ARENA);
        put_index(report, cell->heap, HEAP_MAP_NO_HEAP);
        report_count(report, cell->offset);
        report_count(report, cell->chunks);
        for (int state = 0; state < CHUNK_STATE_COUNT; state++)
            report_count(report, cell->bytes[state]);
    }
    report_table_end(report);
}
