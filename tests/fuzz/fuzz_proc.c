/*
 * fuzz_proc.c - texts of /proc: maps, smaps and stat. A process chooses its name and those of its files; the
 * rest is the kernel's, and not relied on either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/live.h"
#include "target/maps.h"
#include "target/smaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_proc: %s\n", what);
        abort();
    }
}

static void try_maps(const char *text, size_t length)
{
    scoped_maps struct maps maps = {0};
    if (maps_parse(text, length, &maps, NULL) != STATUS_OK) {
        require(maps.rows == NULL, "rows of what is refused");
        return;
    }
    uint64_t end = 0;
    for (size_t i = 0; i < maps.count; i++) {
        const struct mapping *row = &maps.rows[i];
        require(row->start >= end && row->start < row->end, "mappings that overlap or are empty");
        require(strlen(row->name) < length, "a name longer than the text");
        require(maps_find(&maps, row->start) == row && maps_find(&maps, row->end - 1) == row,
                "a mapping that is not found");
        require(maps_find(&maps, row->end) != row, "a mapping that is found beyond its end");
        maps_is_writable(&maps, row->start, row->end - row->start);
        maps_is_writable(&maps, row->start, UINT64_MAX);
        end = row->end;
    }
}

static void try_smaps(const char *text, size_t length)
{
    struct address_range *rows = NULL;
    size_t count = 0;
    uint64_t end = 0;
    if (smaps_swapped(text, length, &rows, &count, NULL) != STATUS_OK) {
        require(rows == NULL, "ranges of what is refused");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        require(rows[i].start >= end && rows[i].start < rows[i].end, "ranges that overlap or are empty");
        end = rows[i].end;
    }
    free(rows);
}

static void try_stat(const char *text, size_t length)
{
    struct proc_stat stat;
    if (proc_stat_parse(text, length, &stat, NULL) != STATUS_OK) {
        return;
    }
    require(memchr(stat.comm, '\0', sizeof stat.comm) != NULL, "a name without an end");
    require(stat.ppid >= 0 && stat.state != '\0', "a parent below 0, or no state");
    proc_stat_address_space(&stat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const TRY[])(const char *text, size_t length) = {try_maps, try_smaps, try_stat};
    if (size > 0) {
        TRY[data[0] % 3]((const char *)data + 1, size - 1);
    }
    return 0;
}
