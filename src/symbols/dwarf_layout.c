/*
 * dwarf_layout.c - offsets of struct members from DWARF.
 *
 * The unit of malloc.c is searched first: it has all that is asked for in a libc, and going through the other
 * thousand costs more than everything else. Every loop over entries stops where an entry's offset does not
 * rise, so that no file can make it go round.
 */
#include <dwarf.h>
#include <string.h>

#include "symbols/dwarf_file.h"
#include "symbols/symbols.h"

#define UNIT_NAME "malloc.c"

struct search {
    struct symbols_member *members;
    unsigned count;
};

/* Offset of a member: a constant, or in old DWARF the expression "plus constant"; -1 where it has none. */
static int32_t member_offset(Dwarf_Die *member)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    Dwarf_Op *ops;
    size_t count;
    if (!dwarf_attr(member, DW_AT_data_member_location, &attribute))
        return -1;
    if (dwarf_formudata(&attribute, &value) != 0) {
        if (dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 1 ||
            ops[0].atom != DW_OP_plus_uconst)
            return -1;
        value = ops[0].number;
    }
    return value <= INT32_MAX ? (int32_t)value : -1;
}

static void take_members(const struct search *search, const char *structure, Dwarf_Die *die)
{
    Dwarf_Die member;
    if (dwarf_child(die, &member) != 0)
        return;
    do {
        const char *name = dwarf_tag(&member) == DW_TAG_member ? dwarf_diename(&member) : NULL;
        for (unsigned i = 0; name && i < search->count; i++) {
            struct symbols_member *wanted = &search->members[i];
            if (wanted->member && strcmp(wanted->structure, structure) == 0 &&
                strcmp(wanted->member, name) == 0)
                wanted->offset = member_offset(&member);
        }
    } while (dwarf_file_next_sibling(&member));
}

/* A structure with a size: a declaration has none. */
static void take_structure(const struct search *search, Dwarf_Die *die)
{
    const char *name = dwarf_tag(die) == DW_TAG_structure_type ? dwarf_diename(die) : NULL;
    int size = name ? dwarf_bytesize(die) : -1;
    bool is_wanted = false;
    for (unsigned i = 0; size > 0 && i < search->count; i++) {
        struct symbols_member *wanted = &search->members[i];
        if (wanted->is_found || strcmp(wanted->structure, name) != 0)
            continue;
        is_wanted = wanted->is_found = true;
        wanted->offset = wanted->member ? -1 : size;
    }
    if (is_wanted)
        take_members(search, name, die);
}

static bool is_complete(const struct search *search)
{
    for (unsigned i = 0; i < search->count; i++)
        if (!search->members[i].is_found)
            return false;
    return true;
}

static void search_unit(const struct search *search, Dwarf_Die *unit)
{
    Dwarf_Die die;
    if (dwarf_child(unit, &die) != 0)
        return;
    do {
        take_structure(search, &die);
    } while (!is_complete(search) && dwarf_file_next_sibling(&die));
}

static bool is_named(Dwarf_Die *unit, const char *base_name)
{
    const char *name = dwarf_diename(unit);
    const char *slash = name ? strrchr(name, '/') : NULL;
    return name && strcmp(slash ? slash + 1 : name, base_name) == 0;
}

/* Search the units named @name, or all where it is NULL. */
static void search_units(Dwarf *dwarf, const struct search *search, const char *name)
{
    Dwarf_Off offset = 0, next;
    size_t header_bytes;
    while (!is_complete(search) && dwarf_nextcu(dwarf, offset, &next, &header_bytes, NULL, NULL, NULL) == 0 &&
           next > offset) {
        Dwarf_Die unit;
        if (dwarf_offdie(dwarf, offset + header_bytes, &unit) && (!name || is_named(&unit, name)))
            search_unit(search, &unit);
        offset = next;
    }
}

enum status symbols_layout(int fd, struct symbols_member *members, unsigned count, struct error *err)
{
    scoped_elf Elf *elf = NULL;
    enum status status = elf_file_open(fd, &elf, err);
    if (status != STATUS_OK)
        return status;
    scoped_dwarf Dwarf *dwarf = dwarf_file_open(elf);
    Dwarf_Off next;
    size_t header_bytes;
    if (!dwarf || dwarf_nextcu(dwarf, 0, &next, &header_bytes, NULL, NULL, NULL) != 0)
        return error_set(err, STATUS_NOT_FOUND, "the file has no DWARF that can be read");
    struct search search = {.members = members, .count = count};
    for (unsigned i = 0; i < count; i++) {
        members[i].offset = -1;
        members[i].is_found = false;
    }
    search_units(dwarf, &search, UNIT_NAME);
    search_units(dwarf, &search, NULL);
    return STATUS_OK;
}
