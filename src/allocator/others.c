/* others.c - see others.h. The ways in the order of their cost. */
#include "allocator/others.h"

#include <string.h>

#include "allocator/cache.h"
#include "allocator/glibc/elf_image.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

/* Modules whose symbols are asked for, the program first: each costs a process that reads its file. */
#define MODULES_MAX 64u
/* A module that told nothing is asked again after this long. */
#define SILENCE_NS (600 * NS_PER_SECOND)

/* Allocators known by the file that is mapped: a part of its path, and the name that is told. */
static const struct {
    const char *part;
    const char *name;
} FILES[] = {{"/libjemalloc", "jemalloc"}, {"/libtcmalloc", "tcmalloc"}, {"/libmimalloc", "mimalloc"},
             {"/ld-musl", "musl"},         {"/libc.musl", "musl"},       {"-linux-musl/libc.so", "musl"}};

static const char *const NAMES[OTHER_COUNT] = {
#define X(name, label) [OTHER_##name] = label,
    OTHER_ALLOCATOR_TABLE(X)
#undef X
};

static const char *name_by_file(const struct maps *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        for (size_t k = 0; k < sizeof FILES / sizeof *FILES; k++)
            if (strstr(maps->rows[i].name, FILES[k].part))
                return FILES[k].name;
    return NULL;
}

/* A mapping that may begin a module. */
static bool is_module(const struct mapping *mapping)
{
    return mapping->offset == 0 && mapping->inode != 0 && mapping->is_readable;
}

/* The Go linker puts a note with its build-id into each program (cmd/link, elf.go). */
static const char *name_by_note(struct target *target, const struct maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        struct elf_image image;
        if (is_module(&maps->rows[i]) && elf_image_read(target, &maps->rows[i], &image) == STATUS_OK)
            return image.has_go_note ? "go" : NULL;
    }
    return NULL;
}

/* Whether the module's symbols were found to say nothing a while ago, or it is a glibc. */
static bool is_known_silent(struct allocator_cache *cache, const struct elf_image *image)
{
    struct cache_key key = elf_image_key(image);
    const struct cache_entry *known = cache_get(cache, &key);
    return known && (known->main_arena != 0 || clock_monotonic_ns() < known->other_silent_until_ns);
}

static void remember_silence(struct allocator_cache *cache, const struct elf_image *image)
{
    struct cache_entry entry = {.key = elf_image_key(image)};
    const struct cache_entry *known = cache_get(cache, &entry.key);
    if (known)
        entry = *known;
    entry.other_silent_until_ns = clock_monotonic_ns() + SILENCE_NS;
    cache_put(cache, &entry);
}

/* The name that the module's symbols tell, or NULL. *@asked counts. */
static const char *name_of_module(struct target *target, const struct mapping *mapping,
                                  struct symbol_source *symbols, struct allocator_cache *cache,
                                  unsigned *asked)
{
    struct error err = {0};
    struct elf_image image;
    scoped_fd int fd = -1;
    enum other_allocator other;
    if (elf_image_read(target, mapping, &image) != STATUS_OK || is_known_silent(cache, &image) ||
        target_open_file(target, mapping, &fd, NULL) != STATUS_OK)
        return NULL;
    ++*asked;
    enum status status = symbols->find_other(symbols, fd, &other, &err);
    if (status == STATUS_OK)
        return NAMES[other];
    if (status != STATUS_NOT_FOUND)
        log_error(LOG_WARN, "symbols of a module could not be read", &err);
    remember_silence(cache, &image);
    return NULL;
}

static const char *name_by_symbols(struct target *target, const struct maps *maps,
                                   struct symbol_source *symbols, struct allocator_cache *cache,
                                   uint64_t deadline_ns)
{
    const char *name = NULL;
    unsigned asked = 0;
    for (size_t i = 0; i < maps->count && !name; i++) {
        if (asked == MODULES_MAX || clock_monotonic_ns() >= deadline_ns)
            break;
        if (is_module(&maps->rows[i]))
            name = name_of_module(target, &maps->rows[i], symbols, cache, &asked);
    }
    return name;
}

const char *others_name(struct target *target, struct symbol_source *symbols, struct allocator_cache *cache,
                        uint64_t deadline_ns)
{
    scoped_maps struct maps maps = {0};
    if (target_maps(target, &maps, NULL) != STATUS_OK)
        return NULL;
    const char *name = name_by_file(&maps);
    if (!name)
        name = name_by_note(target, &maps);
    if (!name && symbols)
        name = name_by_symbols(target, &maps, symbols, cache, deadline_ns);
    return name;
}
