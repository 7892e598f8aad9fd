/* threads.c - see threads.h. */
#include "allocator/glibc/threads.h"

#include <elf.h>
#include <stdlib.h>

#include "allocator/glibc/elf_image.h"
#include "base/checked.h"
#include "base/cleanup.h"

#define LINK_MAP_BYTES 0x4c0u
#define LINK_MAPS_MAX 4096u

/* Where struct pthread keeps its robust list head and tid; the same from 2.31 to 2.44 (nptl/descr.h). */
static const struct {
    unsigned word_bytes;
    uint64_t robust_head, tid;
} PTHREAD = {8, 0x2e0, 0x2d0};

/* Where a module's TLS lies in every thread: below the thread pointer, and its number in the thread's dtv. */
struct tls_place {
    uint64_t offset;
    uint64_t module_id;
};

/*
 * l_tls_offset in the link_map at @map: it comes two words behind {image, file size, size, alignment} of the
 * libc's PT_TLS, and l_tls_modid behind it (include/link.h), wherever the release has put those.
 */
static bool tls_place_in(struct target *target, const struct glibc_location *location, uint64_t map,
                         struct tls_place *ret)
{
    unsigned word = target->word_bytes;
    uint64_t words[LINK_MAP_BYTES / 8];
    if (word != 8 || target_read_exact(target, map, words, sizeof words) != STATUS_OK)
        return false;
    for (size_t i = 0; i + 6 < sizeof words / sizeof *words; i++)
        if (words[i] == location->bias + location->tls_start && words[i + 2] == location->tls_size &&
            words[i + 3] == location->tls_align) {
            *ret = (struct tls_place){.offset = words[i + 5], .module_id = words[i + 6]};
            return true;
        }
    return false;
}

/* Go through the list of link_maps that begins at @map for the one of the libc. */
static bool tls_place_by_list(struct target *target, const struct glibc_location *location, uint64_t map,
                              struct tls_place *ret)
{
    for (unsigned n = 0; map != 0 && n < LINK_MAPS_MAX; n++) {
        uint64_t bias;
        if (target_read_word(target, map, &bias) != STATUS_OK)
            return false;
        if (bias == location->bias && tls_place_in(target, location, map, ret))
            return true;
        if (target_read_word(target, map + 3u * target->word_bytes, &map) != STATUS_OK)
            return false;
    }
    return false;
}

/* DT_DEBUG of the program leads to r_debug and the list; a lazily bound libc has its own link_map in GOT[1].
 */
static bool find_tls_place(struct target *target, const struct maps *maps,
                           const struct glibc_location *location, struct tls_place *ret)
{
    bool is_dynamic = false;
    for (size_t i = 0; i < maps->count; i++) {
        struct elf_image image;
        uint64_t value, map;
        const struct mapping *mapping = &maps->rows[i];
        if (mapping->offset != 0 || mapping->inode == 0 || !elf_image_read(target, mapping, &image))
            continue;
        is_dynamic = is_dynamic || image.has_interpreter;
        if (elf_image_dynamic(target, &image, DT_DEBUG, &value) && value != 0 &&
            target_read_word(target, value + target->word_bytes, &map) == STATUS_OK &&
            tls_place_by_list(target, location, map, ret))
            return true;
        if (elf_image_dynamic(target, &image, DT_PLTGOT, &value)) {
            uint64_t got = value < image.bias ? value + image.bias : value;
            if (target_read_word(target, got + target->word_bytes, &map) == STATUS_OK && map != 0 &&
                tls_place_by_list(target, location, map, ret))
                return true;
        }
    }
    if (is_dynamic)
        return false;
    /* a static program has one block, right below the thread pointer */
    *ret = (struct tls_place){.offset = align_up(location->tls_size, location->tls_align), .module_id = 1};
    return true;
}

/*
 * Whether struct pthread is at @row->pointer: it begins with its own address, its dtv, its own address again,
 * and knows its tid (nptl/descr.h, tcbhead_t).
 */
static bool is_pthread(struct target *target, struct thread_tls *row, pid_t own_tid)
{
    uint64_t head[3];
    int32_t tid;
    if (target_read_exact(target, row->pointer, head, sizeof head) != STATUS_OK || head[0] != row->pointer ||
        head[2] != row->pointer ||
        target_read_exact(target, row->pointer + PTHREAD.tid, &tid, sizeof tid) != STATUS_OK ||
        tid != own_tid)
        return false;
    row->dtv = head[1];
    return true;
}

enum found { FOUND, FOUND_NOT, FOUND_FOREIGN };

/*
 * FOUND_FOREIGN: a thread without a tcache of its own. It has ended; or the kernel has no list for it, being
 * made by a raw clone(), or not begun yet, or past the end of its life in user space. The main thread of a
 * program without libpthread has none either, and a tcache.
 */
static enum found find_pointer(struct target *target, const struct target_thread *thread,
                               struct thread_tls *row)
{
    uint64_t head = 0;
    enum status status = STATUS_OK;
    row->tid = thread->tid;
    if (target_thread_pointer(target, thread->tid, &row->pointer) == STATUS_OK)
        return is_pthread(target, row, thread->own_tid) ? FOUND : FOUND_NOT;
    /* being born or dying, a thread has no list for a moment: asked twice */
    for (int tries = 0; tries < 2; tries++) {
        status = target_robust_list(target, thread->tid, &head);
        if (status == STATUS_GONE)
            return FOUND_FOREIGN;
        row->pointer = head - PTHREAD.robust_head;
        if (status == STATUS_OK && head > PTHREAD.robust_head && is_pthread(target, row, thread->own_tid))
            return FOUND;
    }
    bool has_none = status == STATUS_NOT_FOUND && thread->tid != target->pid && !target->is_frozen;
    return has_none ? FOUND_FOREIGN : FOUND_NOT;
}

/* What a thread's dtv says of the module: its length, and the entry, both two words wide. */
struct dtv_view {
    uint64_t length;
    uint64_t block;
    bool is_read;
};

/* For each of @count rows; the caller frees. NULL: no memory. */
static struct dtv_view *read_dtvs(struct target *target, const struct thread_tls *rows, size_t count,
                                  uint64_t module_id)
{
    struct dtv_view *views = calloc(count + 1, sizeof *views);
    scoped_free struct target_part *parts = calloc(2 * count + 1, sizeof *parts);
    if (!views || !parts) {
        free(views);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        parts[2 * i] = (struct target_part){
            .address = rows[i].dtv - 16, .data = &views[i].length, .length = sizeof views[i].length};
        parts[2 * i + 1] = (struct target_part){.address = rows[i].dtv + 16 * module_id,
                                                .data = &views[i].block,
                                                .length = sizeof views[i].block};
    }
    target_read_parts(target, parts, 2 * count);
    for (size_t i = 0; i < count; i++)
        views[i].is_read = parts[2 * i].is_read && parts[2 * i + 1].is_read;
    return views;
}

/*
 * The second way to a thread's block, its dtv, must agree with the first: threads for which it does not are
 * missing. A thread may have no entry yet for a libc that was loaded after its start: then only the others
 * speak; for the program's own libc one of them must.
 */
static void cross_check(const struct dtv_view *views, const struct glibc_location *location,
                        uint64_t module_id, struct thread_tls *rows, size_t *count, size_t *missing)
{
    size_t kept = 0, confirmed = 0;
    for (size_t i = 0; i < *count; i++) {
        bool has_entry = views[i].is_read && module_id <= views[i].length && views[i].block != 0 &&
                         views[i].block != UINT64_MAX;
        if (has_entry && views[i].block != rows[i].tls_start)
            continue;
        confirmed += has_entry;
        rows[kept++] = rows[i];
    }
    if (confirmed == 0 && location->is_main_libc)
        kept = 0;
    *missing += *count - kept;
    *count = kept;
}

static void find_pointers(struct target *target, const struct target_thread *threads, size_t total,
                          const struct tls_place *place, struct thread_tls *rows, size_t *count,
                          size_t *missing)
{
    for (size_t i = 0; i < total; i++) {
        struct thread_tls row = {0};
        enum found found = place ? find_pointer(target, &threads[i], &row) : FOUND_NOT;
        if (found == FOUND) {
            row.tls_start = row.pointer - place->offset;
            rows[(*count)++] = row;
        } else if (found == FOUND_NOT) {
            (*missing)++;
        }
    }
}

enum status threads_find(struct target *target, const struct maps *maps,
                         const struct glibc_location *location, struct thread_tls **ret, size_t *count,
                         size_t *missing, struct error *err)
{
    scoped_free struct target_thread *threads = NULL;
    size_t total = 0;
    struct tls_place place;
    enum status status = target_threads(target, &threads, &total, err);
    if (status == STATUS_NOT_FOUND)
        total = 0;
    else if (status != STATUS_OK)
        return status;
    scoped_free struct thread_tls *rows = calloc(total + 1, sizeof *rows);
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
    bool is_known = target->word_bytes == PTHREAD.word_bytes && location->tls_size != 0 &&
                    find_tls_place(target, maps, location, &place);
    *count = *missing = 0;
    find_pointers(target, threads, total, is_known ? &place : NULL, rows, count, missing);
    if (is_known) {
        scoped_free struct dtv_view *views = read_dtvs(target, rows, *count, place.module_id);
        if (!views)
            return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
        cross_check(views, location, place.module_id, rows, count, missing);
    }
    *ret = take_ptr(rows);
    return STATUS_OK;
}
