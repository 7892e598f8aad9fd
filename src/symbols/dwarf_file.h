/* dwarf_file.h - opening the DWARF of a file with libdw. */
#ifndef SYMBOLS_DWARF_FILE_H
#define SYMBOLS_DWARF_FILE_H

#include <elfutils/libdw.h>

#include "symbols/elf_file.h"

/**
 * The DWARF of @elf, which must outlive it; dwarf_end() it. NULL: it has none that can be read, or its tables
 * of strings have no end: libdw hands out pointers into them unchecked.
 */
Dwarf *dwarf_file_open(Elf *elf);

/** The next sibling into @die; false at the end, or where it does not lie behind @die: no file makes us go
 * round.
 */
bool dwarf_file_next_sibling(Dwarf_Die *die);

static inline void scoped_dwarf_run(Dwarf **dwarf)
{
    if (*dwarf)
        dwarf_end(*dwarf);
}
#define scoped_dwarf scoped(scoped_dwarf_run)

#endif
