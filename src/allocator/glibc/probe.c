/* probe.c - see probe.h. The ways in the order of their cost; whoever answers is not trusted. */
#include "allocator/glibc/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocator/glibc/libc_version.h"
#include "allocator/glibc/probe_ways.h"
#include "allocator/glibc/signature.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/log.h"

/* Initialised data of one module that is searched; a libc has 20 to 70 KiB, a static program some megabytes.
 */
#define DATA_MAX (64u * 1024 * 1024)
#define TOP_TRIES 20

static bool reserve_data(struct probe *probe)
{
    uint64_t length = probe->image.data.end - probe->image.data.start;
    if (probe->image.data.end <= probe->image.data.start || length > DATA_MAX)
        return false;
    probe->data = malloc((size_t)length);
    probe->length = (size_t)length;
    probe->lacks_memory = probe->lacks_memory || !probe->data;
    return probe->data != NULL;
}

static void take_version(struct probe *probe)
{
    struct libc_texts texts;
    libc_texts_find(probe->target, &probe->image, &texts);
    if (texts.minor == 0)
        texts.minor = probe->companion_minor;
    probe->entry.minor = libc_version_minor(&texts, probe->bins_offset, probe->target->word_bytes);
    /* no row has its bins there: what its symbols say of it must do */
    if (probe->entry.minor == 0 && probe->entry.told.is_known && texts.minor > layout_newest_verified())
        probe->entry.minor = texts.minor;
    if (texts.minor)
        snprintf(probe->entry.version, sizeof probe->entry.version, "2.%u", texts.minor);
}

/* Whether a top chunk is where the arena at @arena says now, and its bins are set. */
static bool is_top_proved(struct probe *probe, const struct glibc_layout *layout, uint64_t arena)
{
    uint64_t top, peak, first, field;
    struct target *target = probe->target;
    return target_read_word(target, arena + (uint64_t)layout->state.max_system_mem, &peak) == STATUS_OK &&
           target_read_word(target, arena + (uint64_t)layout->state.bins, &first) == STATUS_OK &&
           target_read_word(target, arena + (uint64_t)layout->state.top, &top) == STATUS_OK &&
           target_read_word(target, top + layout->word_bytes, &field) == STATUS_OK && (field & 7) == 1 &&
           peak != 0 && first != 0 && is_aligned(top + 2u * layout->word_bytes, layout->alignment) &&
           maps_is_writable(probe->maps, top, 4u * layout->word_bytes);
}

/* The live heap must agree with what a file, a symbol or the cache says. *@is_cold: malloc was never used. */
static bool is_proved(struct probe *probe, const struct glibc_layout *layout, bool *is_cold)
{
    uint64_t arena = probe->image.bias + probe->entry.main_arena, top, system;
    struct target *target = probe->target;
    if (target_read_word(target, arena + (uint64_t)layout->state.top, &top) != STATUS_OK ||
        target_read_word(target, arena + (uint64_t)layout->state.system_mem, &system) != STATUS_OK)
        return false;
    bool is_initial = top == 0 || distance_u64(top, arena) < (uint64_t)layout->state.size;
    *is_cold = is_initial && system == 0;
    if (is_initial)
        return signature_ring_closes(target, arena, layout->state.next, &probe->effort);
    /* a broken ring is a finding of the scan, not a reason to doubt the place: top and the bins speak for it;
     * top moves with each block that is cut from it */
    for (int tries = 0; tries < TOP_TRIES; tries++)
        if (is_top_proved(probe, layout, arena))
            return true;
    /* malloc moves top before it writes top's header: a thread put aside between the two shows neither */
    return !target->is_frozen && signature_heads_hold(target, arena + (uint64_t)layout->state.bins);
}

/* A glibc newer than the rows may have moved members: its debug file knows. */
static void ask_for_layout(struct probe *probe)
{
    struct symbol_answer answer = {0};
    if (probe->entry.minor > layout_newest_verified() && !probe->entry.told.is_known &&
        probe_ask_symbols(probe, &answer))
        layout_told_keep(&answer, &probe->entry.told);
}

/* The layout of what was found: by the rows; where it is newer than these, as told, else by the newest rows.
 */
static bool compose(const struct probe *probe, struct glibc_layout *layout)
{
    const struct cache_entry *entry = &probe->entry;
    if (entry->minor == 0 || !layout_compose(entry->minor, probe->target->word_bytes, layout))
        return false;
    if (entry->minor > layout_newest_verified())
        (void)layout_told_apply(&entry->told, layout);
    return true;
}

enum proof { PROOF_NONE, PROOF_DOUBTED, PROOF_GIVEN };

/* One way, from nothing on; what it finds must be what the live heap shows. */
static enum proof try_way(struct probe *probe, probe_way *find, struct glibc_layout *layout, bool *is_cold)
{
    probe->entry = (struct cache_entry){.key = elf_image_key(&probe->image), .found_by = FOUND_BY_SIGNATURE};
    if (!find(probe))
        return PROOF_NONE;
    take_version(probe);
    ask_for_layout(probe);
    if (!compose(probe, layout))
        return PROOF_NONE;
    return is_proved(probe, layout, is_cold) ? PROOF_GIVEN : PROOF_DOUBTED;
}

static void log_disagreement(const struct probe *probe, uint64_t doubted, uint64_t proved)
{
    char pid[16], first[24], second[24];
    snprintf(pid, sizeof pid, "%d", (int)probe->target->pid);
    snprintf(first, sizeof first, "0x%" PRIx64, doubted);
    snprintf(second, sizeof second, "0x%" PRIx64, proved);
    log_event(LOG_WARN, "two ways to find a heap disagree: the one that the heap itself confirms is taken",
              "pid", pid, "module", probe->image.mapping->name, "main_arena", first, "confirmed", second,
              NULL);
}

/*
 * By the file, by the memory, by symbols. A place that the heap does not confirm is not the end: its file may
 * have been changed since. Symbols cost most: they are asked where no place is found, or two of them differ.
 */
static bool find_anew(struct probe *probe, struct glibc_layout *layout, bool *is_cold)
{
    static probe_way *const WAYS[] = {probe_in_file, probe_in_memory, probe_by_symbols};
    static probe_way *const SYMBOLS_FIRST[] = {probe_by_symbols, probe_in_file, probe_in_memory};
    probe_way *const *ways = probe->symbols && probe->symbols->is_preferred ? SYMBOLS_FIRST : WAYS;
    uint64_t doubted = 0;
    bool is_agreed = false;
    for (int i = 0; i < 3; i++) {
        if (ways[i] == probe_by_symbols && is_agreed)
            continue;
        enum proof proof = try_way(probe, ways[i], layout, is_cold);
        if (proof == PROOF_GIVEN && doubted && doubted != probe->entry.main_arena)
            log_disagreement(probe, doubted, probe->entry.main_arena);
        if (proof == PROOF_GIVEN)
            return true;
        if (proof == PROOF_NONE)
            continue;
        is_agreed = doubted == 0 || doubted == probe->entry.main_arena;
        doubted = probe->entry.main_arena;
        probe->is_doubted = true;
    }
    return false;
}

/* What is known of this libc from an earlier process, or found now; proved on this process either way. */
static bool find_module(struct probe *probe, struct glibc_layout *layout, bool *is_cold)
{
    struct cache_key key = elf_image_key(&probe->image);
    const struct cache_entry *known = cache_get(probe->cache, &key);
    if (known && known->main_arena != 0) {
        probe->entry = *known;
        if (compose(probe, layout) && is_proved(probe, layout, is_cold))
            return true;
        probe->is_doubted = true;
    }
    if (!find_anew(probe, layout, is_cold))
        return false;
    if (probe->entry.mp == 0)
        probe_find_par(probe, layout);
    cache_put(probe->cache, &probe->entry);
    return true;
}

bool probe_module(struct probe *probe, const struct mapping *mapping, struct glibc_layout *layout,
                  bool *is_cold)
{
    enum status status = elf_image_read(probe->target, mapping, &probe->image);
    /* of a core file it is no more than that they were not dumped */
    if (status == STATUS_FAULT && probe->may_have_symbols && !probe->target->is_frozen)
        probe->is_unread = true;
    bool is_found = status == STATUS_OK && reserve_data(probe) && find_module(probe, layout, is_cold);
    free(take_ptr(probe->data));
    return is_found;
}

void probe_note_newer(struct probe *probe)
{
    struct libc_texts texts;
    libc_texts_find(probe->target, &probe->image, &texts);
    if (texts.minor > layout_newest_verified())
        probe->newer_minor = texts.minor;
}
