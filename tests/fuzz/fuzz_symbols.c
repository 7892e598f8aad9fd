/*
 * fuzz_symbols.c - any bytes as an ELF file, as the resolver reads it: symbols, build-id, debug link, DWARF.
 * What libelf and libdw do with them is theirs; that our loops end, and what we take lies in bounds, is ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_symbols: %s\n", what);
        abort();
    }
}

/* One file for all inputs: making one each time is what would take the time. */
static int file_of(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("elf", MFD_CLOEXEC);
    }
    require(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "no file");
    return fd;
}

static bool count(void *context, const struct symbols_found *found)
{
    unsigned *left = context;
    require(found->name != NULL && found->type != NULL, "a finding without a text");
    require(found->form <= SYMBOLS_OTHER, "a form that there is not");
    require(strlen(found->name) + strlen(found->type) > 0 || found->name[0] == '\0', "a text without an end");
    return --*left > 0;
}

static void ask_heap(int fd)
{
    struct symbols_query queries[] = {{.name = "main_arena"}, {.name = "tcache"}, {.name = "mallctl"}};
    struct symbols_member members[] = {{.structure = "malloc_state", .member = "bins"},
                                       {.structure = "malloc_state", .member = NULL},
                                       {.structure = "malloc_par", .member = "sbrk_base"}};
    struct symbols_wanted wanted;
    (void)!symbols_lookup(fd, queries, 3, NULL);
    if (symbols_layout(fd, members, 3, NULL) == STATUS_OK) {
        require(members[0].offset >= -1 && members[1].offset >= -1, "an offset below none");
        require(members[0].is_found || members[0].offset == -1, "an offset in nothing");
    }
    if (symbols_wanted_of(fd, &wanted, NULL) == STATUS_OK) {
        require(wanted.build_id_length <= sizeof wanted.build_id, "a build-id that does not fit");
        require(memchr(wanted.debuglink, '\0', sizeof wanted.debuglink) != NULL, "a name without an end");
        require(strchr(wanted.debuglink, '/') == NULL, "a name that is a path");
        require(wanted.build_id_length == 0 ||
                    symbols_check_build_id(fd, wanted.build_id, wanted.build_id_length) == STATUS_OK,
                "a build-id that is there and is not");
    }
}

static void ask_names(int fd)
{
    unsigned left = 1000;
    uint64_t bytes = 0;
    (void)!symbols_by_name(fd, "", false, count, &left, NULL);
    left = 1000;
    (void)!symbols_by_address(fd, 0x1000, count, &left, NULL);
    left = 1000;
    (void)!symbols_structure(fd, "malloc_state", count, &left, &bytes, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = file_of(data, size);
    ask_heap(fd);
    ask_names(fd);
    return 0;
}
