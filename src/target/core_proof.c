/*
 * core_proof.c - whether a file is the one that a core's process had mapped.
 *
 * The kernel's cores have the first page of each ELF file: it must be the same. gcore leaves it out, but has
 * the pages that the dynamic linker wrote: there the dynamic section must have the file's entries (addresses
 * moved by the load bias), or, in a program without one, what is read-only must be the file's but for a few
 * relocated words. In every case the file must be long enough for all that was mapped of it. The files are
 * hostile too: all is read by bounded reads.
 */
#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "target/core_internal.h"

#define PAGE_PROOF_BYTES 4096u
#define HEADERS_MAX 64u
#define DYNAMIC_ENTRIES_MAX 256u
#define DYNAMIC_ENTRIES_MIN 8u
#define WORDS_MIN 64u
#define LONG_PROOFS_MAX 16u
/* Pages compared and segments passed over in one long proof: no core makes us go through it for hours. */
#define PROOF_STEPS_MAX 65536u

/* The file under proof. */
struct proof {
    struct core *core;
    uint32_t file;
    int fd;
    uint64_t bias;
    uint64_t dynamic_offset, dynamic_vaddr, dynamic_bytes; /* bytes 0: none */
};

static bool file_pread(const struct proof *proof, uint64_t offset, void *data, size_t length)
{
    return offset <= INT64_MAX && pread(proof->fd, data, length, (off_t)offset) == (ssize_t)length;
}

/* Bytes of @address that the core itself has. */
static bool core_has(const struct core *core, uint64_t address, void *data, size_t length)
{
    const struct core_segment *segment = core_find_segment(core, address);
    uint64_t inside = segment ? address - segment->start : 0;
    return segment && inside <= segment->file_length && length <= segment->file_length - inside &&
           core_pread(core, segment->offset + inside, data, length);
}

static bool begins_alike(const struct proof *proof, uint64_t first)
{
    char ours[PAGE_PROOF_BYTES], its[PAGE_PROOF_BYTES];
    return core_has(proof->core, first, ours, sizeof ours) && memcmp(ours, ELFMAG, SELFMAG) == 0 &&
           file_pread(proof, 0, its, sizeof its) && memcmp(ours, its, sizeof ours) == 0;
}

static void take_header(struct proof *proof, uint64_t first, uint32_t type, const uint64_t *fields,
                        bool *has_load)
{
    uint64_t offset = fields[0], vaddr = fields[1], filesz = fields[2];
    if (type == PT_LOAD && !*has_load) {
        proof->bias = first - align_down(vaddr - offset, proof->core->base.page_bytes);
        *has_load = true;
    } else if (type == PT_DYNAMIC) {
        proof->dynamic_offset = offset;
        proof->dynamic_vaddr = vaddr;
        proof->dynamic_bytes = filesz;
    }
}

/* The file's program headers: its load bias here, and where its dynamic section is. */
static bool read_headers(struct proof *proof, uint64_t first)
{
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;
    bool is_wide = proof->core->base.word_bytes == 8, has_load = false;
    if (!file_pread(proof, 0, &narrow, sizeof narrow) || memcmp(narrow.e_ident, ELFMAG, SELFMAG) != 0 ||
        narrow.e_ident[EI_CLASS] != (is_wide ? ELFCLASS64 : ELFCLASS32) ||
        !file_pread(proof, 0, &wide, sizeof wide))
        return false;
    unsigned count = is_wide ? wide.e_phnum : narrow.e_phnum;
    uint64_t offset = is_wide ? wide.e_phoff : narrow.e_phoff;
    for (unsigned i = 0; i < count && i < HEADERS_MAX; i++) {
        Elf64_Phdr w;
        Elf32_Phdr n;
        if (is_wide ? !file_pread(proof, offset + i * sizeof w, &w, sizeof w)
                    : !file_pread(proof, offset + i * sizeof n, &n, sizeof n))
            return false;
        const uint64_t fields[] = {is_wide ? w.p_offset : n.p_offset, is_wide ? w.p_vaddr : n.p_vaddr,
                                   is_wide ? w.p_filesz : n.p_filesz};
        take_header(proof, first, is_wide ? w.p_type : n.p_type, fields, &has_load);
    }
    return has_load;
}

static uint64_t word_at(const struct proof *proof, const uint8_t *data)
{
    uint64_t wide = 0;
    memcpy(&wide, data, proof->core->base.word_bytes);
    return wide;
}

/* The linker adds the bias to some of the addresses, and writes DT_DEBUG. */
static bool has_its_dynamic(const struct proof *proof)
{
    uint8_t ours[16], its[16];
    unsigned word = proof->core->base.word_bytes, alike = 0;
    uint64_t mask = word == 8 ? UINT64_MAX : UINT32_MAX;
    for (unsigned i = 0; i < DYNAMIC_ENTRIES_MAX && (i + 1) * 2 * word <= proof->dynamic_bytes; i++) {
        uint64_t at = (uint64_t)i * 2 * word;
        if (!core_has(proof->core, proof->bias + proof->dynamic_vaddr + at, ours, 2 * word) ||
            !file_pread(proof, proof->dynamic_offset + at, its, 2 * word))
            return false;
        uint64_t tag = word_at(proof, its), value = word_at(proof, its + word),
                 now = word_at(proof, ours + word);
        if (word_at(proof, ours) != tag)
            return false;
        if (tag == DT_NULL)
            break;
        if (tag != DT_DEBUG && now != value && now != ((value + proof->bias) & mask))
            return false;
        alike++;
    }
    return alike >= DYNAMIC_ENTRIES_MIN;
}

/* A comparison under way: words of the file that are not 0, and those of them that the core has too. */
struct comparison {
    uint64_t words, alike;
    unsigned steps_left;
};

static void compare_page(const struct proof *proof, const struct core_row *row, uint64_t at,
                         struct comparison *comparison)
{
    uint8_t ours[PAGE_PROOF_BYTES], its[PAGE_PROOF_BYTES];
    unsigned word = proof->core->base.word_bytes;
    if (!core_has(proof->core, at, ours, sizeof ours) ||
        !file_pread(proof, row->offset + (at - row->start), its, sizeof its))
        return;
    for (size_t i = 0; i < sizeof ours; i += word) {
        uint64_t value = word_at(proof, its + i);
        comparison->words += value != 0;
        comparison->alike += value != 0 && value == word_at(proof, ours + i);
    }
}

/* The pages of a row that the core has and the process could not write. */
static void compare_row(const struct proof *proof, const struct core_row *row, struct comparison *comparison)
{
    const struct core *core = proof->core;
    for (uint64_t at = row->start; at < row->end && comparison->steps_left > 0; comparison->steps_left--) {
        const struct core_segment *segment = core_next_segment(core, at);
        if (!segment || segment->start >= row->end)
            return;
        at = max_u64(at, segment->start);
        if ((segment->flags & PF_W) || at >= segment->start + segment->file_length) {
            at = segment->end;
            continue;
        }
        compare_page(proof, row, at, comparison);
        at += PAGE_PROOF_BYTES;
    }
}

/* A program without a dynamic section: all of its read-only rows. Few programs are; a core of many lies. */
static bool has_its_read_only(const struct proof *proof)
{
    struct core *core = proof->core;
    struct comparison comparison = {.steps_left = PROOF_STEPS_MAX};
    if (core->long_proofs++ >= LONG_PROOFS_MAX)
        return false;
    for (size_t i = 0; i < core->row_count && comparison.steps_left > 0; i++)
        if (core->rows[i].file == proof->file)
            compare_row(proof, &core->rows[i], &comparison);
    return comparison.words >= WORDS_MIN && comparison.alike * 10 >= comparison.words * 9;
}

bool core_file_is_proved(struct core *core, uint32_t file, int fd)
{
    const struct core_file *mapped = &core->files[file];
    struct proof proof = {.core = core, .file = file, .fd = fd};
    struct stat stat;
    if (mapped->first_start == 0 || fstat(fd, &stat) != 0 ||
        mapped->needed_bytes > align_up((uint64_t)stat.st_size, core->base.page_bytes) ||
        !read_headers(&proof, mapped->first_start))
        return false;
    if (begins_alike(&proof, mapped->first_start))
        return true;
    return proof.dynamic_bytes ? has_its_dynamic(&proof) : has_its_read_only(&proof);
}
