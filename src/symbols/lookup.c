/* lookup.c - symbols by name, build-ids and debug links of an ELF file; bounds are libelf's and the file's.
 */
#include <elfutils/libdwelf.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "symbols/symbol_table.h"
#include "symbols/symbols.h"

/* The symbols asked for. */
struct queries {
    struct symbols_query *items;
    unsigned count;
};

static bool take_symbol(void *context, const char *name, const GElf_Sym *symbol)
{
    const struct queries *queries = context;
    for (unsigned i = 0; name && i < queries->count; i++) {
        struct symbols_query *query = &queries->items[i];
        if (query->is_found || strcmp(query->name, name) != 0)
            continue;
        query->is_found = true;
        query->is_tls = GELF_ST_TYPE(symbol->st_info) == STT_TLS;
        query->value = symbol->st_value;
        query->size_bytes = symbol->st_size;
    }
    return true;
}

static enum status search_tables(Elf *elf, GElf_Word type, struct queries *queries, struct error *err)
{
    enum status status = symbol_table_visit(elf, type, take_symbol, queries, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status symbols_lookup(int fd, struct symbols_query *queries, unsigned count, struct error *err)
{
    scoped_elf Elf *elf = NULL;
    enum status status = elf_file_open(fd, &elf, err);
    if (status != STATUS_OK)
        return status;
    for (unsigned i = 0; i < count; i++)
        queries[i] = (struct symbols_query){.name = queries[i].name};
    struct queries asked = {queries, count};
    status = search_tables(elf, SHT_SYMTAB, &asked, err);
    if (status == STATUS_OK)
        status = search_tables(elf, SHT_DYNSYM, &asked, err);
    return status;
}

static bool is_base_name(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

enum status symbols_wanted_of(int fd, struct symbols_wanted *ret, struct error *err)
{
    scoped_elf Elf *elf = NULL;
    enum status status = elf_file_open(fd, &elf, err);
    if (status != STATUS_OK)
        return status;
    struct symbols_wanted wanted = {0};
    const void *build_id;
    GElf_Word crc;
    ssize_t length = dwelf_elf_gnu_build_id(elf, &build_id);
    if (length < 0)
        return elf_file_error(err, "read the build-id");
    if (length > 0 && (size_t)length <= sizeof wanted.build_id) {
        memcpy(wanted.build_id, build_id, (size_t)length);
        wanted.build_id_length = (uint32_t)length;
    }
    const char *link = dwelf_elf_gnu_debuglink(elf, &crc);
    if (link && is_base_name(link) && strlen(link) < sizeof wanted.debuglink) {
        memcpy(wanted.debuglink, link, strlen(link) + 1);
        wanted.debuglink_crc = crc;
    }
    *ret = wanted;
    return STATUS_OK;
}

enum status symbols_check_build_id(int fd, const uint8_t *build_id, uint32_t length)
{
    struct symbols_wanted wanted = {0};
    enum status status = symbols_wanted_of(fd, &wanted, NULL);
    if (status != STATUS_OK)
        return status;
    /* libelf says of notes that it could not read that there are none */
    if (wanted.build_id_length == 0)
        return STATUS_BAD_DATA;
    bool is_it =
        length > 0 && wanted.build_id_length == length && memcmp(wanted.build_id, build_id, length) == 0;
    return is_it ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status symbols_check_crc(int fd, uint32_t crc)
{
    static unsigned char data[65536];
    uLong sum = crc32(0, NULL, 0);
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, data, sizeof data, at)) > 0) {
        sum = crc32(sum, data, (uInt)got);
        at += got;
    }
    if (got < 0)
        return STATUS_BAD_DATA;
    return sum == crc ? STATUS_OK : STATUS_NOT_FOUND;
}
