/*
 * layouts.c - the layout rows of one glibc against the DWARF of its debug file, and what the signature finds
 * in the library file against its symbols. Nothing is run: any architecture will do.
 *
 * Usage: layouts NAME VERSION LIBRARY DEBUG_FILE
 */
#include <fcntl.h>
#include <gelf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator/glibc/layout.h"
#include "allocator/glibc/signature.h"
#include "base/cleanup.h"
#include "symbols/symbols.h"

/* A member of glibc's structs and the number in a layout that says where it is. */
struct row {
    const char *structure, *member; /* NULL: the size of the struct */
    size_t place;
};

#define STATE(name, place)                                               \
    {                                                                    \
        "malloc_state", name, offsetof(struct glibc_layout, state.place) \
    }
#define PAR(name)                                                    \
    {                                                                \
        "malloc_par", #name, offsetof(struct glibc_layout, par.name) \
    }
#define HEAP(name, place)                                             \
    {                                                                 \
        "_heap_info", name, offsetof(struct glibc_layout, heap.place) \
    }
#define SIZE(structure, place)                                     \
    {                                                              \
        structure, NULL, offsetof(struct glibc_layout, place.size) \
    }

static const struct row ROWS[] = {
    STATE("mutex", mutex),
    STATE("flags", flags),
    STATE("fastbinsY", fastbins),
    STATE("top", top),
    STATE("last_remainder", last_remainder),
    STATE("bins", bins),
    STATE("next", next),
    STATE("next_free", next_free),
    STATE("attached_threads", attached_threads),
    STATE("system_mem", system_mem),
    STATE("max_system_mem", max_system_mem),
    SIZE("malloc_state", state),
    PAR(trim_threshold),
    PAR(top_pad),
    PAR(mmap_threshold),
    PAR(arena_test),
    PAR(arena_max),
    PAR(thp_mode),
    PAR(thp_pagesize),
    PAR(hp_pagesize),
    PAR(hp_flags),
    PAR(n_mmaps),
    PAR(n_mmaps_max),
    PAR(max_n_mmaps),
    PAR(no_dyn_threshold),
    PAR(mmapped_mem),
    PAR(max_mmapped_mem),
    PAR(sbrk_base),
    PAR(tcache_max_bytes),
    PAR(tcache_count),
    SIZE("malloc_par", par),
    HEAP("ar_ptr", ar_ptr),
    HEAP("prev", prev),
    HEAP("size", size_field),
    HEAP("mprotect_size", mprotect_size),
    HEAP("pagesize", pagesize),
    SIZE("_heap_info", heap),
    {"tcache_perthread_struct", "entries", offsetof(struct glibc_layout, tcache.entries)},
    SIZE("tcache_perthread_struct", tcache),
};
#define ROW_COUNT (sizeof ROWS / sizeof *ROWS)

struct comparison {
    const char *name;
    unsigned minor, word;
    struct glibc_layout layout;
    unsigned passed, failed;
};

static void compare(struct comparison *comparison, const char *what, const char *member, int64_t ours,
                    int64_t theirs)
{
    bool is_equal = ours == theirs;
    comparison->passed += is_equal;
    comparison->failed += !is_equal;
    if (!is_equal)
        printf("  %s: %s%s%s: differs: 0x%llx here, 0x%llx there\n", comparison->name, what,
               member ? "." : "", member ? member : "", (unsigned long long)ours, (unsigned long long)theirs);
}

static void compare_layout(struct comparison *comparison, int debug_fd)
{
    struct symbols_member members[ROW_COUNT];
    struct error err = {0};
    for (size_t i = 0; i < ROW_COUNT; i++)
        members[i] = (struct symbols_member){.structure = ROWS[i].structure, .member = ROWS[i].member};
    if (symbols_layout(debug_fd, members, ROW_COUNT, &err) != STATUS_OK) {
        printf("  %s: no DWARF: %s\n", comparison->name, err.message);
        comparison->failed++;
        return;
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        int ours;
        memcpy(&ours, (const char *)&comparison->layout + ROWS[i].place, sizeof ours);
        compare(comparison, ROWS[i].structure, ROWS[i].member, ours, members[i].offset);
    }
}

/* The writable segment of the file, as the signature is given it: behind what RELRO protects. */
static uint8_t *read_data(Elf *elf, int fd, uint64_t *base, size_t *length)
{
    size_t count = 0;
    GElf_Phdr data = {0}, relro = {0};
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD && (header.p_flags & PF_W))
            data = header;
        else if (header.p_type == PT_GNU_RELRO)
            relro = header;
    }
    uint64_t skipped = relro.p_memsz ? (relro.p_vaddr + relro.p_memsz) / 4096 * 4096 - data.p_vaddr : 0;
    if (skipped > data.p_filesz)
        skipped = 0;
    *base = data.p_vaddr + skipped;
    *length = data.p_filesz - skipped;
    uint8_t *bytes = malloc(*length);
    if (bytes == NULL || pread(fd, bytes, *length, (off_t)(data.p_offset + skipped)) != (ssize_t)*length)
        abort();
    return bytes;
}

static void compare_places(struct comparison *comparison, int library_fd, int debug_fd)
{
    struct symbols_query symbols[] = {{.name = "main_arena"}, {.name = "mp_"}};
    struct error err = {0};
    uint64_t base;
    size_t length;
    Elf *elf = elf_begin(library_fd, ELF_C_READ, NULL);
    if (symbols_lookup(debug_fd, symbols, 2, &err) != STATUS_OK || !symbols[0].is_found ||
        !symbols[1].is_found) {
        printf("  %s: no symbols: %s\n", comparison->name, err.message);
        comparison->failed++;
        elf_end(elf);
        return;
    }
    scoped_free uint8_t *data = read_data(elf, library_fd, &base, &length);
    struct signature_hit arena = signature_pristine_arena(data, length, base, comparison->word);
    struct signature_hit par = signature_pristine_par(data, length, base, comparison->word);
    compare(comparison, "places like main_arena", NULL, arena.hits, 1);
    compare(comparison, "main_arena", NULL, (int64_t)arena.addr, (int64_t)symbols[0].value);
    compare(comparison, "bins by the signature", NULL, arena.bins_offset, comparison->layout.state.bins);
    compare(comparison, "places like mp_", NULL, par.hits, 1);
    compare(comparison, "mp_", NULL, (int64_t)par.addr, (int64_t)symbols[1].value);
    elf_end(elf);
}

int main(int argc, char **argv)
{
    if (argc != 5 || elf_version(EV_CURRENT) == EV_NONE) {
        fprintf(stderr, "usage: layouts NAME VERSION LIBRARY DEBUG_FILE\n");
        return 2;
    }
    scoped_fd int library_fd = open(argv[3], O_RDONLY | O_CLOEXEC);
    scoped_fd int debug_fd = open(argv[4], O_RDONLY | O_CLOEXEC);
    unsigned char identity[EI_NIDENT];
    if (debug_fd < 0 || pread(library_fd, identity, sizeof identity, 0) != sizeof identity) {
        fprintf(stderr, "layouts: %s and %s cannot be read\n", argv[3], argv[4]);
        return 2;
    }
    struct comparison comparison = {.name = argv[1],
                                    .minor = (unsigned)strtoul(argv[2] + 2, NULL, 10),
                                    .word = identity[EI_CLASS] == ELFCLASS64 ? 8 : 4};
    if (!layout_compose(comparison.minor, comparison.word, &comparison.layout)) {
        fprintf(stderr, "layouts: no row for glibc %s\n", argv[2]);
        return 2;
    }
    compare_layout(&comparison, debug_fd);
    compare_places(&comparison, library_fd, debug_fd);
    printf("%-20s %-44s %s\n", argv[1], "layouts and signature", comparison.failed ? "differs" : "equal");
    printf("%s: %u passed, %u failed\n", argv[1], comparison.passed, comparison.failed);
    return comparison.failed == 0 ? 0 : 1;
}
