/* core_maps.c - the mappings of a core: its segments, with the names that its notes give them. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "target/core_internal.h"

#define DELETED_SUFFIX " (deleted)"

static struct mapping mapping_of(const struct core *core, const struct core_segment *segment)
{
    struct mapping mapping = {.start = segment->start,
                              .end = segment->end,
                              .is_readable = (segment->flags & PF_R) != 0,
                              .is_writable = (segment->flags & PF_W) != 0,
                              .is_executable = (segment->flags & PF_X) != 0,
                              .name = ""};
    const struct core_row *row = core_find_row(core, segment->start);
    if (row) {
        mapping.name = row->name;
        mapping.offset = row->offset + (segment->start - row->start);
        mapping.inode = row->file + UINT64_C(1);
    } else if (core->auxv_random >= segment->start && core->auxv_random < segment->end) {
        mapping.name = "[stack]";
    } else if (core->auxv_vdso == segment->start && core->auxv_vdso) {
        mapping.name = "[vdso]";
    }
    return mapping;
}

/* Names are copied: a row's text may be cut for " (deleted)". */
enum status core_maps(struct target *target, struct maps *ret, struct error *err)
{
    const struct core *core = core_of(target);
    scoped_maps struct maps maps = {0};
    size_t bytes = 1, suffix = strlen(DELETED_SUFFIX);
    for (size_t i = 0; i < core->segment_count; i++)
        bytes += strlen(mapping_of(core, &core->segments[i]).name) + 1;
    maps.rows = calloc(core->segment_count + 1, sizeof *maps.rows);
    maps.names = malloc(bytes);
    if (!maps.rows || !maps.names)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the mappings");
    char *name = maps.names;
    for (size_t i = 0; i < core->segment_count; i++) {
        struct mapping *row = &maps.rows[maps.count++];
        *row = mapping_of(core, &core->segments[i]);
        size_t length = strlen(row->name);
        memcpy(name, row->name, length + 1);
        row->name = name;
        name += length + 1;
        row->is_deleted = row->inode && length > suffix && strcmp(name - 1 - suffix, DELETED_SUFFIX) == 0;
        if (row->is_deleted)
            name[-1 - (ptrdiff_t)suffix] = '\0';
    }
    *ret = maps;
    maps = (struct maps){0};
    return STATUS_OK;
}
