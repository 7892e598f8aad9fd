/* modules.h - the ELF files that a process has mapped, and what is asked of their symbols. */
#ifndef INSPECT_MODULES_H
#define INSPECT_MODULES_H

#include "allocator/glibc/elf_image.h"
#include "inspect/inspection.h"

/** Called for each module; false ends. */
typedef bool module_visit(void *context, const struct elf_image *image);

/**
 * Visit every module of @maps once, in the order of its mappings. Returns how many files with code there are
 * besides of which it could not be read whether they are modules.
 */
uint64_t modules_each(const struct inspection *inspection, const struct maps *maps, module_visit *visit,
                      void *context);

/** The module whose segments contain @address; false: none. */
bool modules_find(const struct inspection *inspection, const struct maps *maps, uint64_t address,
                  struct elf_image *ret);

/** Ask the symbols of one module, as struct symbol_source's lookup. STATUS_NOT_FOUND where there is no
 * source. */
enum status modules_lookup(const struct inspection *inspection, const struct elf_image *image,
                           const struct symbol_question *question, symbol_take *take, void *context,
                           struct error *err) must_check;

#endif
