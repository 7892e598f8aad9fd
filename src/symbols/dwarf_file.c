/* dwarf_file.c - see dwarf_file.h. */
#include "symbols/dwarf_file.h"

#include <gelf.h>
#include <stdbool.h>
#include <string.h>

/* .debug_str, .debug_line_str, compressed or not, and those of split DWARF: libdw has unpacked them by now.
 */
static bool is_string_table(Elf *elf, Elf_Scn *section, size_t names)
{
    GElf_Shdr header;
    const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
    return name && header.sh_type != SHT_NOBITS &&
           (strstr(name, "debug_str") != NULL || strstr(name, "debug_line_str") != NULL) &&
           strstr(name, "offsets") == NULL;
}

static bool has_ended_strings(Elf *elf)
{
    size_t names;
    Elf_Scn *section = NULL;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        if (!is_string_table(elf, section, names))
            continue;
        const Elf_Data *data = elf_getdata(section, NULL);
        if (data && data->d_buf && data->d_size && ((const char *)data->d_buf)[data->d_size - 1] != '\0')
            return false;
    }
    return true;
}

Dwarf *dwarf_file_open(Elf *elf)
{
    Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    if (!dwarf || has_ended_strings(elf))
        return dwarf;
    dwarf_end(dwarf);
    return NULL;
}

bool dwarf_file_next_sibling(Dwarf_Die *die)
{
    Dwarf_Die next;
    if (dwarf_siblingof(die, &next) != 0 || dwarf_dieoffset(&next) <= dwarf_dieoffset(die))
        return false;
    *die = next;
    return true;
}
