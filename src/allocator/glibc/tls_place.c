/* tls_place.c - see tls_place.h. */
#include "allocator/glibc/tls_place.h"

#include <elf.h>
#include <string.h>

#include "allocator/glibc/elf_image.h"
#include "base/checked.h"

#define LINK_MAP_BYTES 0x4c0u
#define LINK_MAPS_MAX 4096u
#define LOADER_DATA_MAX 65536u

static uint64_t word_at(const uint8_t *data, size_t index, unsigned word)
{
    uint64_t value = 0;
    memcpy(&value, data + index * word, word);
    return value;
}

/*
 * l_tls_offset in the link_map at @map: it comes two words behind {image, file size, size, alignment} of the
 * libc's PT_TLS, and l_tls_modid behind it (include/link.h), wherever the release has put those.
 */
static bool tls_place_in(struct target *target, const struct glibc_location *location, uint64_t map,
                         struct tls_place *ret)
{
    unsigned word = target->word_bytes;
    uint8_t data[LINK_MAP_BYTES];
    if (target_read_exact(target, map, data, sizeof data) != STATUS_OK)
        return false;
    for (size_t i = 0; i + 6 < sizeof data / word; i++)
        if (word_at(data, i, word) == location->bias + location->tls_start &&
            word_at(data, i + 2, word) == location->tls_size &&
            word_at(data, i + 3, word) == location->tls_align) {
            *ret = (struct tls_place){.offset = word_at(data, i + 5, word),
                                      .module_id = word_at(data, i + 6, word)};
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
static bool find_by_link_maps(struct target *target, const struct maps *maps,
                              const struct glibc_location *location, bool *is_dynamic, struct tls_place *ret)
{
    *is_dynamic = false;
    for (size_t i = 0; i < maps->count; i++) {
        struct elf_image image;
        uint64_t value, map;
        const struct mapping *mapping = &maps->rows[i];
        if (mapping->offset != 0 || mapping->inode == 0 ||
            elf_image_read(target, mapping, &image) != STATUS_OK)
            continue;
        *is_dynamic = *is_dynamic || image.has_interpreter;
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
    return false;
}

/* Whether a list of link_maps may begin at @map: nothing is before it, and what is behind it knows that. */
static bool is_list_head(struct target *target, uint64_t map)
{
    unsigned word = target->word_bytes;
    uint8_t head[5 * 8];
    uint64_t previous = 0;
    if (map == 0 || !is_aligned(map, word) || target_read_exact(target, map, head, 5u * word) != STATUS_OK)
        return false;
    uint64_t next = word_at(head, 3, word);
    return word_at(head, 4, word) == 0 &&
           (next == 0 ||
            (target_read_word(target, next + 4u * word, &previous) == STATUS_OK && previous == map));
}

/*
 * The loader's own data has the head of each namespace's list (_rtld_global._dl_ns), among others that do no
 * harm: only a link_map with this libc's own numbers is taken.
 */
static bool find_by_namespaces(struct target *target, const struct maps *maps,
                               const struct glibc_location *location, struct tls_place *ret)
{
    unsigned word = target->word_bytes;
    for (size_t i = 0; i < maps->count; i++) {
        struct elf_image image;
        const struct mapping *mapping = &maps->rows[i];
        const char *base = strrchr(mapping->name, '/');
        if (mapping->offset != 0 || mapping->inode == 0 || !base || strncmp(base, "/ld", 3) != 0 ||
            elf_image_read(target, mapping, &image) != STATUS_OK)
            continue;
        uint64_t end = min_u64(image.data.end, image.data.start + LOADER_DATA_MAX);
        for (uint64_t at = image.data.start; at + word <= end; at += word) {
            uint64_t map;
            if (target_read_word(target, image.bias + at, &map) == STATUS_OK &&
                maps_is_writable(maps, map, 5u * word) && is_list_head(target, map) &&
                tls_place_by_list(target, location, map, ret))
                return true;
        }
    }
    return false;
}

bool tls_place_find(struct target *target, const struct maps *maps, const struct glibc_location *location,
                    struct tls_place *ret)
{
    bool is_dynamic;
    if (location->tls_size == 0)
        return false;
    if (find_by_link_maps(target, maps, location, &is_dynamic, ret))
        return true;
    if (is_dynamic)
        return find_by_namespaces(target, maps, location, ret);
    /* a static program has one block, right below the thread pointer */
    *ret = (struct tls_place){.offset = align_up(location->tls_size, location->tls_align), .module_id = 1};
    return true;
}
