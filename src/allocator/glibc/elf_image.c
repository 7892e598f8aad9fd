/* elf_image.c - see elf_image.h. ELF as System V gABI and elf(5) describe it. */
#include "allocator/glibc/elf_image.h"

#include <elf.h>
#include <string.h>

#include "base/checked.h"
#include "base/word.h"

#define HEADERS_MAX 64u
#define DYNAMIC_MAX 256u
#define DYNAMIC_AT_ONCE 32u
#define NOTES_MAX 4096u

/* One program header of either class. */
struct segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
};

static enum status read_header(struct target *target, uint64_t base, uint64_t *phoff, unsigned *phnum)
{
    union {
        Elf64_Ehdr wide;
        Elf32_Ehdr narrow;
    } header;
    enum status status = target_read_exact(target, base, &header, sizeof header.wide);
    if (status != STATUS_OK)
        return status;
    if (memcmp(header.wide.e_ident, ELFMAG, SELFMAG) != 0)
        return STATUS_NOT_FOUND;
    bool is_wide = header.wide.e_ident[EI_CLASS] == ELFCLASS64;
    if (is_wide != (target->word_bytes == 8))
        return STATUS_NOT_FOUND;
    *phoff = is_wide ? header.wide.e_phoff : header.narrow.e_phoff;
    *phnum = is_wide ? header.wide.e_phnum : header.narrow.e_phnum;
    unsigned size = is_wide ? header.wide.e_phentsize : header.narrow.e_phentsize;
    bool can_be = *phnum > 0 && *phnum <= HEADERS_MAX && *phoff < 65536 &&
                  size == (is_wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
    return can_be ? STATUS_OK : STATUS_NOT_FOUND;
}

static struct segment widen(const uint8_t *data, bool is_wide)
{
    if (is_wide) {
        Elf64_Phdr p;
        memcpy(&p, data, sizeof p);
        return (struct segment){p.p_type, p.p_flags, p.p_offset, p.p_vaddr, p.p_filesz, p.p_memsz, p.p_align};
    }
    Elf32_Phdr p;
    memcpy(&p, data, sizeof p);
    return (struct segment){p.p_type, p.p_flags, p.p_offset, p.p_vaddr, p.p_filesz, p.p_memsz, p.p_align};
}

#define NOTE_GO_BUILD_ID 4u

/* The build-id among the notes (NT_GNU_BUILD_ID, name "GNU"), and the one of Go's linker (name "Go"). */
static void read_notes(struct target *target, uint64_t address, uint64_t length, struct elf_image *image)
{
    uint8_t notes[NOTES_MAX];
    size_t size = (size_t)min_u64(length, sizeof notes), at = 0;
    if (target_read_exact(target, address, notes, size) != STATUS_OK)
        return;
    while (size - at >= sizeof(Elf32_Nhdr)) {
        Elf32_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        at += sizeof note;
        uint64_t name_size = align_up(note.n_namesz, 4), data_size = align_up(note.n_descsz, 4);
        if (name_size > size - at || data_size > size - at - name_size)
            return;
        if (note.n_type == NOTE_GO_BUILD_ID && note.n_namesz == 4 && memcmp(notes + at, "Go\0", 4) == 0)
            image->has_go_note = true;
        if (image->build_id_length == 0 && note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes + at, "GNU", 4) == 0 && note.n_descsz <= ELF_BUILD_ID_MAX) {
            image->build_id_length = note.n_descsz;
            memcpy(image->build_id, notes + at + name_size, note.n_descsz);
        }
        at += (size_t)(name_size + data_size);
    }
}

static void take_load(const struct segment *segment, struct elf_image *image)
{
    uint64_t start = image->bias + segment->vaddr, end = start + segment->memsz;
    image->start = image->end ? min_u64(image->start, start) : start;
    image->end = max_u64(image->end, end);
    if (segment->flags & PF_W) {
        image->data = (struct elf_range){segment->vaddr, segment->vaddr + segment->filesz};
        image->data_file_offset = segment->offset;
    } else if ((segment->flags & (PF_R | PF_X)) == PF_R && image->read_only_count < ELF_READ_ONLY_MAX) {
        image->read_only[image->read_only_count++] =
            (struct elf_range){segment->vaddr, segment->vaddr + segment->filesz};
    }
}

static void take_segment(struct target *target, const struct segment *segment, struct elf_image *image)
{
    switch (segment->type) {
    case PT_LOAD:
        take_load(segment, image);
        break;
    case PT_DYNAMIC:
        image->dynamic_addr = image->bias + segment->vaddr;
        break;
    case PT_INTERP:
        image->has_interpreter = true;
        break;
    case PT_TLS:
        image->has_tls = true;
        image->tls_start = segment->vaddr;
        image->tls_file_size = segment->filesz;
        image->tls_size = segment->memsz;
        image->tls_align = segment->align ? segment->align : 1;
        break;
    case PT_NOTE:
        read_notes(target, image->bias + segment->vaddr, segment->filesz, image);
        break;
    default:
        break;
    }
}

/* What RELRO made read-only holds no allocator's books, but in a static program the names of the tunables. */
static void leave_out_relro(const struct target *target, const struct segment *relro, struct elf_image *image)
{
    uint64_t end = align_down(relro->vaddr + relro->memsz, target->page_bytes);
    if (relro->type == PT_GNU_RELRO && end > image->data.start && end <= image->data.end) {
        if (image->read_only_count < ELF_READ_ONLY_MAX)
            image->read_only[image->read_only_count++] = (struct elf_range){image->data.start, end};
        image->data_file_offset += end - image->data.start;
        image->data.start = end;
    }
}

enum status elf_image_read(struct target *target, const struct mapping *mapping, struct elf_image *ret)
{
    uint64_t phoff;
    unsigned count;
    uint8_t raw[HEADERS_MAX * sizeof(Elf64_Phdr)];
    bool is_wide = target->word_bytes == 8;
    size_t size = is_wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    enum status status = read_header(target, mapping->start, &phoff, &count);
    if (status == STATUS_OK)
        status = target_read_exact(target, mapping->start + phoff, raw, count * size);
    if (status != STATUS_OK)
        return status;
    struct elf_image image = {.mapping = mapping};
    bool has_load = false;
    for (unsigned i = 0; i < count && !has_load; i++) {
        struct segment segment = widen(raw + i * size, is_wide);
        if (segment.type == PT_LOAD) {
            image.bias = mapping->start - align_down(segment.vaddr - segment.offset, target->page_bytes);
            has_load = true;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        struct segment segment = widen(raw + i * size, is_wide);
        take_segment(target, &segment, &image);
    }
    for (unsigned i = 0; i < count; i++) {
        struct segment segment = widen(raw + i * size, is_wide);
        leave_out_relro(target, &segment, &image);
    }
    if (!has_load)
        return STATUS_NOT_FOUND;
    *ret = image;
    return STATUS_OK;
}

struct cache_key elf_image_key(const struct elf_image *image)
{
    struct cache_key key = {.build_id_length = image->build_id_length,
                            .device_major = image->mapping->device_major,
                            .device_minor = image->mapping->device_minor,
                            .inode = image->mapping->inode};
    _Static_assert(sizeof key.build_id == sizeof image->build_id, "build-ids of one length");
    memcpy(key.build_id, image->build_id, sizeof key.build_id);
    return key;
}

bool elf_image_dynamic(struct target *target, const struct elf_image *image, uint64_t tag, uint64_t *ret)
{
    unsigned word = target->word_bytes;
    uint8_t entries[DYNAMIC_AT_ONCE * 2 * sizeof(uint64_t)];
    for (unsigned done = 0; image->dynamic_addr && done < DYNAMIC_MAX; done += DYNAMIC_AT_ONCE) {
        size_t count = target_read(target, image->dynamic_addr + (uint64_t)done * 2 * word, entries,
                                   (size_t)DYNAMIC_AT_ONCE * 2 * word) /
                       (2 * word);
        for (size_t i = 0; i < count; i++) {
            uint64_t found = word_of(entries + i * 2 * word, word);
            if (found == DT_NULL)
                return false;
            if (found == tag) {
                *ret = word_of(entries + i * 2 * word + word, word);
                return true;
            }
        }
        if (count < DYNAMIC_AT_ONCE)
            return false;
    }
    return false;
}
