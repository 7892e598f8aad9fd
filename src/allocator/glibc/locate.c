/* locate.c - see locate.h: from the mappings to each libc's books. */
#include "allocator/glibc/locate.h"

#include <stdlib.h>
#include <string.h>

#include "allocator/glibc/probe.h"
#include "base/array.h"

#define LOCATIONS_MAX 16u

static enum status append(struct glibc_locations *locations, const struct probe *probe,
                          const struct glibc_layout *layout, bool is_cold, struct error *err)
{
    if (!array_room(&locations->rows, locations->count, &locations->capacity))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the libcs of a process");
    struct glibc_location *row = &locations->rows[locations->count++];
    const struct elf_image *image = &probe->image;
    *row = (struct glibc_location){
        .layout = *layout,
        .main_arena_addr = image->bias + probe->entry.main_arena,
        .mp_addr = probe->entry.mp ? image->bias + probe->entry.mp : 0,
        .image_start = image->start,
        .image_end = image->end,
        .bias = image->bias,
        .tls_start = image->tls_start,
        .tls_size = image->tls_size,
        .tls_align = image->tls_align,
        .has_tcache_slot = probe->entry.has_tcache_slot,
        .has_thread_arena_slot = probe->entry.has_thread_arena_slot,
        .tcache_slot = probe->entry.tcache_slot,
        .thread_arena_slot = probe->entry.thread_arena_slot,
        .is_cold = is_cold,
        .found_by = probe->entry.found_by,
        .key = elf_image_key(image),
    };
    memcpy(row->version, probe->entry.version, sizeof row->version);
    return STATUS_OK;
}

/* In the order in which they are tried: a libc by its name, since looking into every module costs more. */
enum module_kind {
    MODULE_LIBC,         /* libc.so.6, libc-2.31.so */
    MODULE_DEBUG_MALLOC, /* libc_malloc_debug.so.0: a malloc of its own beside that of its libc, since 2.34 */
    MODULE_OTHER
};

static enum module_kind kind_of(const struct mapping *mapping)
{
    const char *base = strrchr(mapping->name, '/');
    base = base ? base + 1 : mapping->name;
    if (strncmp(base, "libc.so", 7) == 0 || strncmp(base, "libc-", 5) == 0)
        return MODULE_LIBC;
    return strncmp(base, "libc_malloc_debug.so", 20) == 0 ? MODULE_DEBUG_MALLOC : MODULE_OTHER;
}

static enum status try_modules(struct probe *probe, enum module_kind kind, struct glibc_locations *ret,
                               struct error *err)
{
    enum status status = STATUS_OK;
    bool is_first = true;
    for (size_t i = 0; status == STATUS_OK && i < probe->maps->count && ret->count < LOCATIONS_MAX; i++) {
        const struct mapping *mapping = &probe->maps->rows[i];
        struct glibc_layout layout;
        bool is_cold;
        if (mapping->offset != 0 || mapping->inode == 0 || !mapping->is_readable)
            continue;
        /* the program itself is mapped lowest: a static one has its own malloc */
        probe->may_have_symbols = kind != MODULE_OTHER || is_first;
        is_first = false;
        if (kind_of(mapping) != kind)
            continue;
        bool is_found = probe_module(probe, mapping, &layout, &is_cold);
        if (effort_is_spent(&probe->effort, probe->target))
            return error_set(err, STATUS_TIMEOUT,
                             "the search for the heap was given up: it took too long, or "
                             "too many reads");
        if (!is_found && kind == MODULE_LIBC)
            probe_note_newer(probe);
        /* the debugging malloc is built without a tcache (malloc/malloc-debug.c) */
        if (is_found && kind == MODULE_DEBUG_MALLOC)
            layout.tcache = (struct tcache_layout){0};
        if (is_found)
            status = append(ret, probe, &layout, is_cold, err);
    }
    return status;
}

/*
 * Only the program's own libc has the break: its top chunk or the place where its heap began is in [heap].
 * Where none has (brk refused, nothing allocated) the first one is taken for it: a second one is loaded later
 * and lies below.
 */
static bool has_break(struct target *target, const struct maps *maps, const struct glibc_location *row)
{
    const uint64_t places[] = {
        row->main_arena_addr + (uint64_t)row->layout.state.top,
        row->mp_addr ? row->mp_addr + (uint64_t)row->layout.par.sbrk_base : 0,
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        uint64_t value;
        const struct mapping *mapping = places[i] && target_read_word(target, places[i], &value) == STATUS_OK
                                            ? maps_find(maps, value)
                                            : NULL;
        if (mapping && strcmp(mapping->name, "[heap]") == 0)
            return true;
    }
    return false;
}

static void put_main_first(struct target *target, const struct maps *maps, struct glibc_locations *locations)
{
    size_t main = 0;
    for (size_t i = locations->count; i > 0; i--)
        if (has_break(target, maps, &locations->rows[i - 1]))
            main = i - 1;
    struct glibc_location row = locations->rows[main];
    memmove(locations->rows + 1, locations->rows, main * sizeof row);
    row.is_main_libc = true;
    locations->rows[0] = row;
}

static enum status why_none(const struct probe *probe, struct error *err)
{
    if (probe->lacks_memory)
        return error_set(err, STATUS_NO_MEMORY, "no memory to look for the heap");
    if (probe->newer_minor)
        return error_set(
            err, STATUS_INCONSISTENT,
            "glibc 2.%u is newer than what this program knows (2.%u), and its heap was not found: "
            "install its debug symbols (libc6-dbg) or a newer malloc_exporter",
            probe->newer_minor, layout_newest_verified());
    if (probe->is_doubted)
        return error_set(err, STATUS_INCONSISTENT,
                         "a glibc is there, but its heap does not look like one: it moves too fast, or is "
                         "damaged");
    if (probe->is_unread)
        return error_set(
            err, STATUS_INCONSISTENT,
            "whether the program has glibc malloc is not known: its file, or a libc's, is mapped but "
            "could not be read there");
    return error_set(err, STATUS_UNSUPPORTED, "no glibc malloc was found in the process");
}

enum status glibc_locate(struct target *target, const struct maps *maps, struct symbol_source *symbols,
                         struct allocator_cache *cache, uint64_t deadline_ns, struct glibc_locations *ret,
                         struct error *err)
{
    struct glibc_locations found = {0};
    struct probe probe = {.target = target,
                          .maps = maps,
                          .symbols = symbols,
                          .cache = cache,
                          .effort = effort_begin(target, deadline_ns)};
    enum status status = try_modules(&probe, MODULE_LIBC, &found, err);
    if (status == STATUS_OK && found.count != 0) {
        probe.companion_minor = found.rows[0].layout.version;
        status = try_modules(&probe, MODULE_DEBUG_MALLOC, &found, err);
    }
    if (status == STATUS_OK && found.count == 0)
        status = try_modules(&probe, MODULE_OTHER, &found, err);
    if (status == STATUS_OK && found.count == 0)
        status = why_none(&probe, err);
    if (status != STATUS_OK) {
        free(found.rows);
        return status;
    }
    put_main_first(target, maps, &found);
    *ret = found;
    return STATUS_OK;
}
