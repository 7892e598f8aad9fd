/* core_headers.c - the ELF header and the program headers of a core, elf(5), of either class. */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "target/core_internal.h"

/* More mappings than a kernel lets a process have by far. */
#define HEADERS_MAX (UINT64_C(1) << 22)

struct table {
    uint64_t offset, count;
    unsigned entry_bytes;
    bool is_wide;
};

struct header {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz;
};

static struct header widen(const uint8_t *data, bool is_wide)
{
    if (is_wide) {
        Elf64_Phdr p;
        memcpy(&p, data, sizeof p);
        return (struct header){p.p_type, p.p_flags, p.p_offset, p.p_vaddr, p.p_filesz, p.p_memsz};
    }
    Elf32_Phdr p;
    memcpy(&p, data, sizeof p);
    return (struct header){p.p_type, p.p_flags, p.p_offset, p.p_vaddr, p.p_filesz, p.p_memsz};
}

static enum status check_ident(struct core *core, const unsigned char *ident, unsigned type,
                               struct error *err)
{
    if (memcmp(ident, ELFMAG, SELFMAG) != 0)
        return core_bad(core, err,
                        "no ELF file: a core is wanted, as `gcore PID` makes one; a compressed one "
                        "(.zst, .lz4, .xz, .gz) has to be unpacked first");
    if (ident[EI_DATA] != ELFDATA2LSB || (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64))
        return core_bad(core, err, "an ELF file of a kind that is not known: 32 or 64 bits, little endian");
    if (type != ET_CORE)
        return core_bad(core, err, "an ELF file, but no core: make one with `gcore PID`");
    return STATUS_OK;
}

static enum status check_machine(struct core *core, unsigned machine, bool is_wide, struct error *err)
{
    core->machine = machine;
    if ((is_wide && (machine == EM_X86_64 || machine == EM_AARCH64)) || (!is_wide && machine == EM_386))
        return STATUS_OK;
    return core_bad(core, err, "a core of a machine that is not known: x86-64, i386 and aarch64 are");
}

/* The number of headers where 16 bits were too few: sh_info of section 0. */
static bool read_extended_count(const struct core *core, uint64_t shoff, bool is_wide, uint64_t *count)
{
    Elf64_Shdr wide;
    Elf32_Shdr narrow;
    if (is_wide ? !core_pread(core, shoff, &wide, sizeof wide)
                : !core_pread(core, shoff, &narrow, sizeof narrow))
        return false;
    *count = is_wide ? wide.sh_info : narrow.sh_info;
    return shoff != 0;
}

static enum status read_elf_header(struct core *core, struct table *table, struct error *err)
{
    Elf64_Ehdr wide = {0};
    Elf32_Ehdr narrow;
    if (!core_pread(core, 0, &narrow, sizeof narrow))
        return core_bad(core, err, "too short for a core: it was cut off, or nothing was written");
    enum status status = check_ident(core, narrow.e_ident, narrow.e_type, err);
    if (status != STATUS_OK)
        return status;
    table->is_wide = narrow.e_ident[EI_CLASS] == ELFCLASS64;
    if (table->is_wide && !core_pread(core, 0, &wide, sizeof wide))
        return core_bad(core, err, "too short for a core: it was cut off");
    core->base.word_bytes = table->is_wide ? 8 : 4;
    status = check_machine(core, narrow.e_machine, table->is_wide, err);
    if (status != STATUS_OK)
        return status;
    table->offset = table->is_wide ? wide.e_phoff : narrow.e_phoff;
    table->count = table->is_wide ? wide.e_phnum : narrow.e_phnum;
    table->entry_bytes = table->is_wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    unsigned entry_bytes = table->is_wide ? wide.e_phentsize : narrow.e_phentsize;
    if (table->count == PN_XNUM && !read_extended_count(core, table->is_wide ? wide.e_shoff : narrow.e_shoff,
                                                        table->is_wide, &table->count))
        return core_bad(core, err, "the number of its program headers is not there: it was cut off");
    if (entry_bytes != table->entry_bytes || table->count == 0 || table->count > HEADERS_MAX)
        return core_bad(core, err, "its program headers are not of their form");
    if (table->offset > core->file_bytes ||
        table->count * table->entry_bytes > core->file_bytes - table->offset)
        return core_bad(core, err, "its program headers are beyond its end: it was cut off");
    return STATUS_OK;
}

static bool take_load(struct core *core, const struct header *header)
{
    uint64_t end;
    if (header->memsz == 0)
        return true;
    if (!checked_add(header->vaddr, header->memsz, &end) || header->filesz > header->memsz ||
        end > UINT64_MAX - (UINT64_C(1) << 20))
        return false;
    struct core_segment *segment = &core->segments[core->segment_count++];
    *segment = (struct core_segment){
        .start = header->vaddr, .end = end, .offset = header->offset, .flags = header->flags};
    uint64_t there = header->offset < core->file_bytes ? core->file_bytes - header->offset : 0;
    segment->file_length = min_u64(header->filesz, there);
    core->info.missing_bytes += header->filesz - segment->file_length;
    return true;
}

int core_segment_by_start(const void *left, const void *right)
{
    const struct core_segment *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static enum status sort_segments(struct core *core, struct error *err)
{
    qsort(core->segments, core->segment_count, sizeof *core->segments, core_segment_by_start);
    for (size_t i = 1; i < core->segment_count; i++)
        if (core->segments[i].start < core->segments[i - 1].end)
            return core_bad(core, err, "two of its segments have the same address");
    if (core->segment_count == 0)
        return core_bad(core, err, "it has no memory in it");
    return STATUS_OK;
}

enum status core_read_headers(struct core *core, struct core_notes **ret, size_t *count, struct error *err)
{
    struct table table = {0};
    enum status status = read_elf_header(core, &table, err);
    if (status != STATUS_OK)
        return status;
    size_t bytes = (size_t)(table.count * table.entry_bytes), notes_count = 0;
    scoped_free uint8_t *raw = malloc(bytes);
    scoped_free struct core_notes *notes = calloc((size_t)table.count, sizeof *notes);
    core->segments = calloc((size_t)table.count, sizeof *core->segments);
    if (!raw || !notes || !core->segments)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %" PRIu64 " program headers", table.count);
    if (!core_pread(core, table.offset, raw, bytes))
        return core_bad(core, err, "its program headers could not be read");
    for (size_t i = 0; i < table.count; i++) {
        struct header header = widen(raw + i * table.entry_bytes, table.is_wide);
        if (header.type == PT_NOTE && header.offset < core->file_bytes)
            notes[notes_count++] =
                (struct core_notes){header.offset, min_u64(header.filesz, core->file_bytes - header.offset)};
        if (header.type == PT_LOAD && !take_load(core, &header))
            return core_bad(core, err, "one of its segments has an impossible size");
    }
    *ret = take_ptr(notes);
    *count = notes_count;
    return sort_segments(core, err);
}
