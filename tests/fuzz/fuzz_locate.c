/*
 * fuzz_locate.c - finding glibc's heap, its threads and their tcaches in a process made of the fuzzer's
 * bytes: ELF headers, program headers, notes, PT_DYNAMIC, link_maps, arenas and thread pointers, all hostile.
 * The search must end within its effort, in bounds, and what it gives must hold in itself.
 *
 * The first page is the module's file, mapped at BASE; all pages that follow its data. Addresses in a seed
 * are absolute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/cache.h"
#include "allocator/glibc/locate.h"
#include "allocator/others.h"
#include "base/checked.h"

#define BASE UINT64_C(0x10000)
#define PAGE 4096u
#define THREADS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct made {
    struct target base;
    const uint8_t *data;
    size_t size;
    uint64_t pointers[THREADS];
};

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_locate: %s\n", what);
        abort();
    }
}

static size_t made_read(struct target *target, uint64_t address, void *data, size_t length)
{
    const struct made *made = (const struct made *)target;
    if (address < BASE || address - BASE >= made->size) {
        return 0;
    }
    size_t part = (size_t)min_u64(made->size - (address - BASE), length);
    memcpy(data, made->data + (address - BASE), part);
    return part;
}

static void made_read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parts[i].is_read =
            parts[i].address <= UINT64_MAX - parts[i].length &&
            made_read(target, parts[i].address, parts[i].data, parts[i].length) == parts[i].length;
    }
}

static enum status made_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                                struct error *err)
{
    (void)target;
    struct target_thread *rows = calloc(THREADS, sizeof *rows);
    if (rows == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory");
    }
    for (int i = 0; i < THREADS; i++) {
        rows[i] = (struct target_thread){.tid = i + 1, .own_tid = i + 1};
    }
    *ret = rows;
    *count_ret = THREADS;
    return STATUS_OK;
}

static enum status made_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                                    struct error *err)
{
    (void)target, (void)start, (void)pages, (void)states;
    return error_set(err, STATUS_PERMISSION, "there is no pagemap");
}

static enum status made_robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    *head_ret = ((const struct made *)target)->pointers[tid - 1];
    return *head_ret ? STATUS_OK : STATUS_NOT_FOUND;
}

static enum status made_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                                  struct error *err)
{
    (void)target, (void)mapping, (void)fd_ret;
    return error_set(err, STATUS_NOT_FOUND, "there is no file");
}

static enum status made_maps(struct target *target, struct maps *ret, struct error *err)
{
    const struct made *made = (const struct made *)target;
    char text[512];
    uint64_t end = BASE + align_up(made->size, PAGE) + PAGE; /* at least one page of data */
    int length =
        snprintf(text, sizeof text,
                 "%llx-%llx r--p 00000000 08:01 7 /lib/libc.so.6\n%llx-%llx rw-p 00000000 00:00 0 [heap]\n",
                 (unsigned long long)BASE, (unsigned long long)BASE + PAGE, (unsigned long long)BASE + PAGE,
                 (unsigned long long)end);
    return maps_parse(text, (size_t)length, ret, err);
}

static void made_close(struct target *target)
{
    (void)target;
}

static const struct target_ops OPS = {.name = "made",
                                      .read = made_read,
                                      .read_parts = made_read_parts,
                                      .maps = made_maps,
                                      .page_states = made_page_states,
                                      .threads = made_threads,
                                      .robust_list = made_robust_list,
                                      .open_file = made_open_file,
                                      .close = made_close};

static void check_tcaches(struct target *target, const struct maps *maps, struct glibc_location *location,
                          struct allocator_cache *cache)
{
    struct glibc_tcaches tcaches = {0};
    if (location->layout.tcache.size == 0 ||
        glibc_find_tcaches(target, maps, location, cache, &tcaches, NULL) != STATUS_OK) {
        return;
    }
    require(tcaches.count + tcaches.missing <= THREADS, "more tcaches than threads");
    for (size_t i = 0; i < tcaches.count; i++) {
        require(tcaches.rows[i].address == 0 || maps_is_writable(maps, tcaches.rows[i].address, 1),
                "a tcache where nothing can be");
    }
    free(tcaches.rows);
}

static void search(struct made *made, struct allocator_cache *cache)
{
    scoped_maps struct maps maps = {0};
    struct glibc_locations locations = {0};
    require(target_maps(&made->base, &maps, NULL) == STATUS_OK, "no mappings");
    uint64_t before = made->base.read_calls;
    enum status status = glibc_locate(&made->base, &maps, NULL, cache, UINT64_MAX, &locations, NULL);
    require(made->base.read_calls - before < 600000, "more reads than the effort allows");
    require(status == STATUS_OK || locations.rows == NULL, "rows of what was not found");
    for (size_t i = 0; i < locations.count; i++) {
        struct glibc_location *row = &locations.rows[i];
        require(row->main_arena_addr >= BASE && row->main_arena_addr - BASE < made->size,
                "an arena where nothing is");
        require(i == 0 || !row->is_main_libc, "two main libcs");
        check_tcaches(&made->base, &maps, row, cache);
    }
    free(locations.rows);
    others_name(&made->base, NULL, cache, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct made made = {.base = {.ops = &OPS, .pid = 1, .page_bytes = PAGE}};
    size_t head = 1 + THREADS * 4;
    if (size <= head) {
        return 0;
    }
    made.base.word_bytes = data[0] & 1 ? 4 : 8;
    for (int i = 0; i < THREADS; i++) {
        uint32_t pointer;
        memcpy(&pointer, data + 1 + 4 * i, sizeof pointer);
        made.pointers[i] = pointer;
    }
    made.data = data + head;
    made.size = size - head;
    struct allocator_cache *cache = allocator_cache_new();
    search(&made, cache);
    search(&made, cache);
    allocator_cache_free(cache);
    return 0;
}
