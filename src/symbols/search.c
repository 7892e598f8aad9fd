/* search.c - symbols by a part of their name or by an address that they contain; names demangled. */
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "symbols/symbol_table.h"
#include "symbols/symbols.h"

/* A longer mangled name is shown as it is: demangling is not linear. */
#define MANGLED_MAX 4096u

struct search {
    const char *text; /* NULL: by address */
    bool is_exact;
    uint64_t address;
    symbols_take *take;
    void *context;
    uint64_t unnamed; /* symbols whose names could not be read */
    bool has_best;    /* by address: the smallest that contains it */
    struct symbols_found best;
};

static const char *type_name(unsigned type)
{
    switch (type) {
    case STT_FUNC:
        return "function";
    case STT_OBJECT:
    case STT_COMMON:
        return "object";
    case STT_TLS:
        return "thread_local";
    case STT_GNU_IFUNC:
        return "ifunc";
    default:
        return "other";
    }
}

static char *demangle(const char *name)
{
    bool is_mangled = name[0] == '_' && (name[1] == 'Z' || name[1] == 'R') && strlen(name) <= MANGLED_MAX;
    return is_mangled ? cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO) : NULL;
}

static bool is_match(const struct search *search, const char *name)
{
    return search->is_exact ? strcmp(name, search->text) == 0 : strstr(name, search->text) != NULL;
}

/* False: no more are wanted. */
static bool take_by_name(struct search *search, const char *name, struct symbols_found *found)
{
    scoped_free char *plain = demangle(name);
    if (!is_match(search, name) && !(plain && is_match(search, plain)))
        return true;
    found->name = plain ? plain : name;
    return search->take(search->context, found);
}

/* Of names for the same place the one that people call it by: "malloc", not "__GI___libc_malloc". */
static bool is_better_name(const char *name, const char *than)
{
    size_t ours = strspn(name, "_"), its = strspn(than, "_");
    return ours != its ? ours < its : strlen(name) < strlen(than);
}

/* One without a size reaches only its own first byte. */
static void take_by_address(struct search *search, const char *name, const struct symbols_found *found)
{
    uint64_t size = found->size_bytes ? found->size_bytes : 1;
    if (search->address < found->value || search->address - found->value >= size)
        return;
    if (search->has_best &&
        (search->best.size_bytes < found->size_bytes ||
         (search->best.size_bytes == found->size_bytes && !is_better_name(name, search->best.name))))
        return;
    search->has_best = true;
    search->best = *found;
    search->best.name = name;
}

static bool take_symbol(void *context, const char *name, const GElf_Sym *symbol)
{
    struct search *search = context;
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    struct symbols_found found = {
        .type = type_name(type), .value = symbol->st_value, .size_bytes = symbol->st_size, .count = 1};
    search->unnamed += !name;
    if (!name || !*name)
        return true;
    if (search->text)
        return take_by_name(search, name, &found);
    if (type != STT_TLS)
        take_by_address(search, name, &found);
    return true;
}

static enum status run(int fd, struct search *search, struct error *err)
{
    scoped_elf Elf *elf = NULL;
    enum status status = elf_file_open(fd, &elf, err);
    if (status != STATUS_OK)
        return status;
    status = symbol_table_visit(elf, SHT_SYMTAB, take_symbol, search, err);
    if (status == STATUS_NOT_FOUND)
        status = symbol_table_visit(elf, SHT_DYNSYM, take_symbol, search, err);
    if (status == STATUS_NOT_FOUND)
        return error_set(err, status, "the file has no symbols");
    if (status == STATUS_OK && search->has_best) {
        scoped_free char *plain = demangle(search->best.name);
        if (plain)
            search->best.name = plain;
        search->take(search->context, &search->best);
    }
    if (status == STATUS_OK && search->unnamed > 0)
        return error_set(err, STATUS_BAD_DATA, "%llu symbols have no names that can be read",
                         (unsigned long long)search->unnamed);
    return status;
}

enum status symbols_has_symtab(int fd, bool *ret, struct error *err)
{
    scoped_elf Elf *elf = NULL;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    enum status status = elf_file_open(fd, &elf, err);
    if (status == STATUS_OK)
        status = elf_file_next(elf, SHT_SYMTAB, &section, &header, err);
    if (status == STATUS_OK)
        *ret = section != NULL;
    return status;
}

enum status symbols_by_name(int fd, const char *text, bool is_exact, symbols_take *take, void *context,
                            struct error *err)
{
    struct search search = {.text = text, .is_exact = is_exact, .take = take, .context = context};
    return run(fd, &search, err);
}

enum status symbols_by_address(int fd, uint64_t address, symbols_take *take, void *context, struct error *err)
{
    struct search search = {.address = address, .take = take, .context = context};
    return run(fd, &search, err);
}
