/* elf_file.h - opening a file with libelf, and its failures in our terms. */
#ifndef SYMBOLS_ELF_FILE_H
#define SYMBOLS_ELF_FILE_H

#include <gelf.h>
#include <libelf.h>

#include "base/cleanup.h"
#include "base/error.h"

/** Open the ELF file @fd (which stays the caller's and open). STATUS_BAD_DATA: it is none. elf_end() it. */
enum status elf_file_open(int fd, Elf **ret, struct error *err) must_check;

/** STATUS_BAD_DATA with what libelf says. */
enum status elf_file_error(struct error *err, const char *what);

/**
 * The section of that @type (SHT_…) after *@section (NULL: from the first on), and its header; *@section is
 * NULL where there is none. STATUS_BAD_DATA: a header on the way cannot be read.
 */
enum status elf_file_next(Elf *elf, GElf_Word type, Elf_Scn **section, GElf_Shdr *header,
                          struct error *err) must_check;

static inline void scoped_elf_run(Elf **elf)
{
    if (*elf)
        elf_end(*elf);
}
#define scoped_elf scoped(scoped_elf_run)

#endif
