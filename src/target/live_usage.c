/* live_usage.c - what of a process' mappings is in memory: /proc/PID/smaps, a line at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "target/live_internal.h"
#include "target/proc_file.h"

/* "Rss:  4 kB" begins with @name: the bytes into *@ret. */
static void take_field(const char *line, const char *name, uint64_t *ret)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) == 0)
        *ret = strtoull(line + length, NULL, 10) * 1024;
}

/* The row of the mapping whose head "7f00-7f10 rw-p …" is @line; NULL where it is none, or a new one. */
static struct mapping_usage *find_row(const char *line, const struct maps *maps, struct mapping_usage *rows)
{
    char *end;
    uint64_t start = strtoull(line, &end, 16);
    const struct mapping *mapping = *end == '-' && end != line ? maps_find(maps, start) : NULL;
    return mapping && mapping->start == start ? &rows[mapping - maps->rows] : NULL;
}

static bool is_head(const char *line)
{
    size_t digits = strspn(line, "0123456789abcdef");
    return digits > 0 && line[digits] == '-';
}

enum status live_usage(struct target *target, const struct maps *maps, struct mapping_usage *rows,
                       struct error *err)
{
    const struct live *live = live_of(target);
    char path[40];
    scoped_buffer struct buffer text = {0};
    snprintf(path, sizeof path, "task/%d/smaps", (int)live->read_tid);
    enum status status = proc_file_read(live->directory_fd, path, PROC_SMAPS_BYTES_MAX, &text, err);
    if (status != STATUS_OK)
        return status;
    memset(rows, 0, maps->count * sizeof *rows);
    struct mapping_usage *row = NULL;
    for (const char *line = buffer_string(&text); line && *line;) {
        if (is_head(line)) {
            row = find_row(line, maps, rows);
        } else if (row) {
            take_field(line, "Rss:", &row->resident_bytes);
            take_field(line, "Pss:", &row->proportional_bytes);
            take_field(line, "Swap:", &row->swapped_bytes);
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return STATUS_OK;
}
