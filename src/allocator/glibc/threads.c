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

/*
 * l_tls_offset in the link_map at @map: it comes two words behind {image, file size, size, alignment} of the
 * libc's PT_TLS (include/link.h), wherever the release has put those.
 */
static bool tls_offset_in(struct target *target, const struct glibc_location *location, uint64_t map,
                          uint64_t *ret)
{
    unsigned word = target->word_bytes;
    uint64_t words[LINK_MAP_BYTES / 8];
    if (word != 8 || target_read_exact(target, map, words, sizeof words) != STATUS_OK)
        return false;
    for (size_t i = 0; i + 5 < sizeof words / sizeof *words; i++)
        if (words[i] == location->bias + location->tls_start && words[i + 2] == location->tls_size &&
            words[i + 3] == location->tls_align) {
            *ret = words[i + 5];
            return true;
        }
    return false;
}

/* Go through the list of link_maps that begins at @map for the one of the libc. */
static bool tls_offset_by_list(struct target *target, const struct glibc_location *location, uint64_t map,
                               uint64_t *ret)
{
    for (unsigned n = 0; map != 0 && n < LINK_MAPS_MAX; n++) {
        uint64_t bias;
        if (target_read_word(target, map, &bias) != STATUS_OK)
            return false;
        if (bias == location->bias && tls_offset_in(target, location, map, ret))
            return true;
        if (target_read_word(target, map + 3u * target->word_bytes, &map) != STATUS_OK)
            return false;
    }
    return false;
}

/* DT_DEBUG of the program leads to r_debug and the list; a lazily bound libc has its own link_map in GOT[1].
 */
static bool find_tls_offset(struct target *target, const struct maps *maps,
                            const struct glibc_location *location, uint64_t *ret)
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
            tls_offset_by_list(target, location, map, ret))
            return true;
        if (elf_image_dynamic(target, &image, DT_PLTGOT, &value)) {
            uint64_t got = value < image.bias ? value + image.bias : value;
            if (target_read_word(target, got + target->word_bytes, &map) == STATUS_OK && map != 0 &&
                tls_offset_by_list(target, location, map, ret))
                return true;
        }
    }
    if (is_dynamic)
        return false;
    /* a static program has one block, right below the thread pointer */
    *ret = align_up(location->tls_size, location->tls_align);
    return true;
}

/* Whether struct pthread is at @pointer: it begins with its own address, twice, and knows its tid. */
static bool is_pthread(struct target *target, uint64_t pointer, pid_t own_tid)
{
    uint64_t head[3];
    int32_t tid;
    return target_read_exact(target, pointer, head, sizeof head) == STATUS_OK && head[0] == pointer &&
           head[2] == pointer &&
           target_read_exact(target, pointer + PTHREAD.tid, &tid, sizeof tid) == STATUS_OK && tid == own_tid;
}

enum found { FOUND, FOUND_NOT, FOUND_FOREIGN };

static enum found find_pointer(struct target *target, const struct target_thread *thread, uint64_t *pointer)
{
    uint64_t head = 0;
    if (target_thread_pointer(target, thread->tid, pointer) == STATUS_OK)
        return is_pthread(target, *pointer, thread->own_tid) ? FOUND : FOUND_NOT;
    /* being born or dying, a thread has no list for a moment: asked twice */
    for (int tries = 0; tries < 2; tries++) {
        enum status status = target_robust_list(target, thread->tid, &head);
        if (status == STATUS_GONE)
            return FOUND_FOREIGN;
        if (status == STATUS_OK && head > PTHREAD.robust_head &&
            is_pthread(target, head - PTHREAD.robust_head, thread->own_tid)) {
            *pointer = head - PTHREAD.robust_head;
            return FOUND;
        }
    }
    return FOUND_NOT;
}

enum status threads_find(struct target *target, const struct maps *maps,
                         const struct glibc_location *location, struct thread_tls **ret, size_t *count,
                         size_t *missing, struct error *err)
{
    scoped_free struct target_thread *threads = NULL;
    size_t total = 0;
    uint64_t offset = 0;
    enum status status = target_threads(target, &threads, &total, err);
    if (status == STATUS_NOT_FOUND)
        total = 0;
    else if (status != STATUS_OK)
        return status;
    scoped_free struct thread_tls *rows = calloc(total + 1, sizeof *rows);
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
    bool is_known = target->word_bytes == PTHREAD.word_bytes && location->tls_size != 0 &&
                    find_tls_offset(target, maps, location, &offset);
    *count = *missing = 0;
    for (size_t i = 0; i < total; i++) {
        uint64_t pointer = 0;
        enum found found = is_known ? find_pointer(target, &threads[i], &pointer) : FOUND_NOT;
        if (found == FOUND)
            rows[(*count)++] =
                (struct thread_tls){.tid = threads[i].tid, .pointer = pointer, .tls_start = pointer - offset};
        else if (found == FOUND_NOT)
            (*missing)++;
    }
    *ret = take_ptr(rows);
    return STATUS_OK;
}
