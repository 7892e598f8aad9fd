/* probe_ways.c - see probe_ways.h. */
#include "allocator/glibc/probe_ways.h"

#include <unistd.h>

#include "allocator/glibc/signature.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define LIVE_TRIES 5
/* Symbols that were silent are asked again after this long: debug packages come, and a build-id may be
 * forged. */
#define SILENCE_NS (600 * NS_PER_SECOND)

static bool read_memory_data(struct probe *probe)
{
    return target_read_exact(probe->target, probe->image.bias + probe->image.data.start, probe->data,
                             probe->length) == STATUS_OK;
}

/* The module's file, with the data as the program found it at its start. */
static bool read_file_data(struct probe *probe)
{
    scoped_fd int fd = -1;
    if (target_open_file(probe->target, probe->image.mapping, &fd, NULL) != STATUS_OK)
        return false;
    size_t got = 0;
    while (got < probe->length) {
        ssize_t n =
            pread(fd, probe->data + got, probe->length - got, (off_t)(probe->image.data_file_offset + got));
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

bool probe_in_file(struct probe *probe)
{
    unsigned word = probe->target->word_bytes;
    if (!read_file_data(probe))
        return false;
    struct signature_hit arena =
        signature_pristine_arena(probe->data, probe->length, probe->image.data.start, word);
    struct signature_hit par =
        signature_pristine_par(probe->data, probe->length, probe->image.data.start, word);
    if (arena.hits != 1)
        return false;
    probe->entry.main_arena = arena.addr;
    probe->entry.mp = par.hits == 1 ? par.addr : 0;
    probe->bins_offset = arena.bins_offset;
    return true;
}

bool probe_in_memory(struct probe *probe)
{
    uint64_t base = probe->image.bias + probe->image.data.start;
    struct signature_hit arena = {0};
    for (int tries = 0; tries < LIVE_TRIES && arena.hits != 1; tries++) {
        if (effort_is_spent(&probe->effort, probe->target) || !read_memory_data(probe))
            return false;
        arena = signature_live_arena(probe->target, probe->data, probe->length, base, &probe->effort);
        if (arena.hits == 0)
            arena = signature_pristine_arena(probe->data, probe->length, base, probe->target->word_bytes);
    }
    if (arena.hits != 1)
        return false;
    probe->entry.main_arena = arena.addr - probe->image.bias;
    probe->bins_offset = arena.bins_offset;
    return true;
}

void probe_find_par(struct probe *probe, const struct glibc_layout *layout)
{
    uint64_t base = probe->image.bias + probe->image.data.start;
    if (!read_memory_data(probe))
        return;
    struct signature_hit par = signature_live_par(probe->data, probe->length, base, layout, probe->maps);
    if (par.hits != 1)
        par = signature_pristine_par(probe->data, probe->length, base, layout->word_bytes);
    if (par.hits == 1)
        probe->entry.mp = par.addr - probe->image.bias;
}

bool probe_ask_symbols(struct probe *probe, struct symbol_answer *answer)
{
    const struct elf_image *image = &probe->image;
    const struct cache_entry *known = cache_get(probe->cache, &probe->entry.key);
    uint64_t now = clock_monotonic_ns();
    struct error err = {0};
    scoped_fd int fd = -1;
    if (!probe->symbols || !probe->may_have_symbols || (known && now < known->silent_until_ns))
        return false;
    if (target_open_file(probe->target, image->mapping, &fd, NULL) != STATUS_OK)
        fd = -1;
    enum status status =
        probe->symbols->resolve(probe->symbols, fd, image->build_id, image->build_id_length, answer, &err);
    if (status == STATUS_OK && answer->main_arena != 0)
        return true;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        log_error(LOG_WARN, "symbols of a module could not be read", &err);
    probe->entry.silent_until_ns = now + SILENCE_NS;
    cache_put(probe->cache, &probe->entry);
    return false;
}

bool probe_by_symbols(struct probe *probe)
{
    struct symbol_answer answer = {0};
    if (!probe_ask_symbols(probe, &answer))
        return false;
    probe->bins_offset =
        answer.has_layout && answer.offsets[FIELD_STATE_BINS] > 0
            ? (unsigned)answer.offsets[FIELD_STATE_BINS]
            : signature_bins_offset(probe->target, probe->image.bias + answer.main_arena, &probe->effort);
    probe->entry.main_arena = answer.main_arena;
    probe->entry.mp = answer.mp;
    probe->entry.has_tcache_slot = answer.has_tcache_tls;
    probe->entry.tcache_slot = answer.tcache_tls;
    probe->entry.has_thread_arena_slot = answer.has_thread_arena_tls;
    probe->entry.thread_arena_slot = answer.thread_arena_tls;
    layout_told_keep(&answer, &probe->entry.told);
    probe->entry.found_by = answer.from_debuginfo ? FOUND_BY_DEBUGINFO : FOUND_BY_SYMTAB;
    return true;
}
