/*
 * elf_file.c - see elf_file.h. Files are read, not mapped: a file that is cut meanwhile gives an error then,
 * not SIGBUS.
 */
#include "symbols/elf_file.h"

#include <stdbool.h>

enum status elf_file_error(struct error *err, const char *what)
{
    const char *reason = elf_errmsg(-1);
    return error_set(err, STATUS_BAD_DATA, "%s: %s", what, reason ? reason : "not of its form");
}

enum status elf_file_open(int fd, Elf **ret, struct error *err)
{
    GElf_Ehdr header;
    if (elf_version(EV_CURRENT) == EV_NONE)
        return error_set(err, STATUS_SYSTEM, "this libelf does not know the current ELF version");
    scoped_elf Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    if (!elf)
        return elf_file_error(err, "open ELF file");
    if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
        return error_set(err, STATUS_BAD_DATA, "not an ELF file");
    *ret = take_ptr(elf);
    return STATUS_OK;
}

/* A file that ends before its section headers has no sections, says libelf. */
static bool lacks_sections(Elf *elf)
{
    GElf_Ehdr header;
    return gelf_getehdr(elf, &header) && header.e_shoff != 0 && header.e_shnum != 1 &&
           !elf_nextscn(elf, NULL);
}

enum status elf_file_next(Elf *elf, GElf_Word type, Elf_Scn **section, GElf_Shdr *header, struct error *err)
{
    if (!*section && lacks_sections(elf))
        return error_set(err, STATUS_BAD_DATA, "the file ends before its section headers");
    while ((*section = elf_nextscn(elf, *section)) != NULL) {
        if (!gelf_getshdr(*section, header))
            return elf_file_error(err, "read a section header");
        if (header->sh_type == type)
            return STATUS_OK;
    }
    return STATUS_OK;
}
