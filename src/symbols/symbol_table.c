/* symbol_table.c - see symbol_table.h. */
#include "symbols/symbol_table.h"

static bool is_of_interest(const GElf_Sym *symbol)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    return symbol->st_shndx != SHN_UNDEF && type != STT_SECTION && type != STT_FILE;
}

/* *@go_on: whether more are wanted. */
static enum status visit_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, symbol_visit *visit,
                               void *context, bool *go_on, struct error *err)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t entry_bytes = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (!data || entry_bytes == 0)
        return elf_file_error(err, "read a symbol table");
    size_t count = data->d_buf ? data->d_size / entry_bytes : 0;
    for (size_t i = 0; i < count && i <= INT32_MAX && *go_on; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol))
            return elf_file_error(err, "read a symbol");
        if (is_of_interest(&symbol))
            *go_on = visit(context, elf_strptr(elf, header->sh_link, symbol.st_name), &symbol);
    }
    return STATUS_OK;
}

enum status symbol_table_visit(Elf *elf, GElf_Word type, symbol_visit *visit, void *context,
                               struct error *err)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    bool is_found = false, go_on = true;
    while (go_on) {
        enum status status = elf_file_next(elf, type, &section, &header, err);
        if (status == STATUS_OK && section)
            status = visit_table(elf, section, &header, visit, context, &go_on, err);
        if (status != STATUS_OK)
            return status;
        if (!section)
            break;
        is_found = true;
    }
    return is_found ? STATUS_OK : STATUS_NOT_FOUND;
}
