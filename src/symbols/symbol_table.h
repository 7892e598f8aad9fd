/* symbol_table.h - the symbols of an ELF file one by one; bounds are libelf's and the file's. */
#ifndef SYMBOLS_SYMBOL_TABLE_H
#define SYMBOLS_SYMBOL_TABLE_H

#include <stdbool.h>

#include "symbols/elf_file.h"

/** Takes one symbol; @name is NULL where it cannot be read, else the file's. False: no more are wanted. */
typedef bool symbol_visit(void *context, const char *name, const GElf_Sym *symbol);

/**
 * Visit what the tables of @type (SHT_SYMTAB, SHT_DYNSYM) define, but for sections and source files.
 * STATUS_NOT_FOUND: the file has no such table; STATUS_BAD_DATA: one cannot be read, whatever was visited.
 */
enum status symbol_table_visit(Elf *elf, GElf_Word type, symbol_visit *visit, void *context,
                               struct error *err) must_check;

#endif
