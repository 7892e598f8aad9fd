/*
 * dwarf_members.c - the members of a structure from DWARF, with how each value is to be read.
 *
 * Every descent and every chain of types is bounded, and siblings must have rising offsets, so that no file
 * can make it go round.
 */
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#include "symbols/dwarf_file.h"
#include "symbols/symbols.h"

#define DEPTH_MAX 6
#define TYPE_STEPS_MAX 32
#define PATH_MAX_BYTES 256
#define TYPE_MAX_BYTES 128

struct lister {
    const char *name;
    symbols_take *take;
    void *context;
    bool is_found, is_ended;
    uint64_t size_bytes;
};

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, ret);
}

static bool is_qualifier(int tag)
{
    return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
           tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

static bool is_structure(int tag)
{
    return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_class_type;
}

/* The type under typedefs and qualifiers. */
static bool peel(Dwarf_Die *type)
{
    for (int i = 0; i < TYPE_STEPS_MAX; i++) {
        if (!is_qualifier(dwarf_tag(type)))
            return true;
        Dwarf_Die next;
        if (!type_of(type, &next))
            return false;
        *type = next;
    }
    return false;
}

/* "struct x *", near enough to how C has it. */
static void name_type(Dwarf_Die *type, char *text, size_t size, int depth)
{
    int tag = dwarf_tag(type);
    const char *name = dwarf_diename(type);
    Dwarf_Die next;
    char inner[TYPE_MAX_BYTES] = "void";
    if (depth < DEPTH_MAX && !name && type_of(type, &next))
        name_type(&next, inner, sizeof inner, depth + 1);
    if (name)
        snprintf(text, size, "%s%s", is_structure(tag) ? "struct " : "", name);
    else if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
             tag == DW_TAG_rvalue_reference_type)
        snprintf(text, size, "%.*s *", TYPE_MAX_BYTES - 4, inner);
    else if (tag == DW_TAG_const_type)
        snprintf(text, size, "const %.*s", TYPE_MAX_BYTES - 8, inner);
    else if (is_structure(tag))
        snprintf(text, size, "struct");
    else if (tag == DW_TAG_subroutine_type)
        snprintf(text, size, "function");
    else
        snprintf(text, size, "%s", inner);
}

static enum symbols_form form_of(Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    Dwarf_Word encoding;
    switch (dwarf_tag(type)) {
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
        return SYMBOLS_POINTER;
    case DW_TAG_enumeration_type:
        return SYMBOLS_UNSIGNED;
    case DW_TAG_base_type:
        break;
    default:
        return SYMBOLS_OTHER;
    }
    if (!dwarf_attr(type, DW_AT_encoding, &attribute) || dwarf_formudata(&attribute, &encoding) != 0)
        return SYMBOLS_OTHER;
    return encoding == DW_ATE_signed                                            ? SYMBOLS_SIGNED
           : encoding == DW_ATE_boolean                                         ? SYMBOLS_BOOL
           : encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char ? SYMBOLS_CHAR
           : encoding == DW_ATE_float                                           ? SYMBOLS_FLOAT
           : encoding == DW_ATE_unsigned || encoding == DW_ATE_UTF              ? SYMBOLS_UNSIGNED
                                                                                : SYMBOLS_OTHER;
}

/* Elements of an array over all its dimensions; 0: not known, as of a flexible one. */
static uint64_t count_elements(Dwarf_Die *array)
{
    Dwarf_Die range;
    uint64_t count = 1;
    if (dwarf_child(array, &range) != 0)
        return 0;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word value;
        if (dwarf_tag(&range) != DW_TAG_subrange_type)
            continue;
        if (dwarf_attr(&range, DW_AT_count, &attribute) && dwarf_formudata(&attribute, &value) == 0)
            ;
        else if (dwarf_attr(&range, DW_AT_upper_bound, &attribute) &&
                 dwarf_formudata(&attribute, &value) == 0)
            value++;
        else
            return 0;
        if (value > UINT32_MAX || __builtin_mul_overflow(count, (uint64_t)value, &count) ||
            count > UINT32_MAX)
            return 0;
    } while (dwarf_file_next_sibling(&range));
    return count;
}

static bool offset_of(Dwarf_Die *member, uint64_t *ret)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (!dwarf_attr(member, DW_AT_data_member_location, &attribute)) {
        *ret = 0; /* of a union */
        return !dwarf_hasattr(member, DW_AT_data_bit_offset) && dwarf_tag(member) == DW_TAG_member;
    }
    if (dwarf_formudata(&attribute, &value) != 0 || value > INT32_MAX)
        return false;
    *ret = value;
    return true;
}

static void list_members(struct lister *lister, Dwarf_Die *structure, const char *path, uint64_t base,
                         int depth);

static void take_value(struct lister *lister, Dwarf_Die *type, const char *path, uint64_t offset, int depth)
{
    struct symbols_found found = {.name = path, .value = offset, .count = 1};
    char text[TYPE_MAX_BYTES];
    name_type(type, text, sizeof text, 0);
    found.type = text;
    if (!peel(type))
        return;
    if (is_structure(dwarf_tag(type)) && depth < DEPTH_MAX && dwarf_haschildren(type)) {
        list_members(lister, type, path, offset, depth + 1);
        return;
    }
    if (dwarf_tag(type) == DW_TAG_array_type) {
        Dwarf_Die element;
        uint64_t count = count_elements(type);
        if (!type_of(type, &element) || !peel(&element))
            return;
        found.count = (uint32_t)count;
        *type = element;
    }
    int size = dwarf_tag(type) == DW_TAG_pointer_type && dwarf_bytesize(type) <= 0 ? 8 : dwarf_bytesize(type);
    found.size_bytes = size > 0 ? (uint64_t)size : 0;
    found.form = form_of(type);
    lister->is_ended = !lister->take(lister->context, &found);
}

static void list_members(struct lister *lister, Dwarf_Die *structure, const char *path, uint64_t base,
                         int depth)
{
    Dwarf_Die member, type;
    if (dwarf_child(structure, &member) != 0)
        return;
    do {
        int tag = dwarf_tag(&member);
        uint64_t offset;
        char inner[PATH_MAX_BYTES];
        if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || !offset_of(&member, &offset))
            continue;
        const char *name = dwarf_diename(&member);
        int length =
            snprintf(inner, sizeof inner, "%s%s%s", path, *path && name ? "." : "", name ? name : "");
        if (length < 0 || (size_t)length >= sizeof inner || !type_of(&member, &type))
            continue;
        take_value(lister, &type, inner, base + offset, depth);
    } while (!lister->is_ended && dwarf_file_next_sibling(&member));
}

static void search_scope(struct lister *lister, Dwarf_Die *scope, const char *space, int depth)
{
    Dwarf_Die die;
    if (dwarf_child(scope, &die) != 0)
        return;
    do {
        int tag = dwarf_tag(&die);
        const char *name = is_structure(tag) || tag == DW_TAG_namespace || tag == DW_TAG_typedef
                               ? dwarf_diename(&die)
                               : NULL;
        char full[PATH_MAX_BYTES];
        if (!name ||
            (size_t)snprintf(full, sizeof full, "%s%s%s", space, *space ? "::" : "", name) >= sizeof full)
            continue;
        if (tag == DW_TAG_namespace && depth < DEPTH_MAX && strncmp(lister->name, full, strlen(full)) == 0)
            search_scope(lister, &die, full, depth + 1);
        if (tag == DW_TAG_namespace || strcmp(full, lister->name) != 0)
            continue;
        Dwarf_Die type = die;
        if (!peel(&type) || !is_structure(dwarf_tag(&type)) || dwarf_bytesize(&type) <= 0)
            continue; /* a declaration has no size */
        lister->is_found = true;
        lister->size_bytes = (uint64_t)dwarf_bytesize(&type);
        list_members(lister, &type, "", 0, 0);
    } while (!lister->is_found && dwarf_file_next_sibling(&die));
}

enum status symbols_structure(int fd, const char *name, symbols_take *take, void *context,
                              uint64_t *size_bytes, struct error *err)
{
    scoped_elf Elf *elf = NULL;
    enum status status = elf_file_open(fd, &elf, err);
    if (status != STATUS_OK)
        return status;
    scoped_dwarf Dwarf *dwarf = dwarf_file_open(elf);
    struct lister lister = {.name = name, .take = take, .context = context};
    Dwarf_Off offset = 0, next;
    size_t header_bytes;
    while (dwarf && !lister.is_found &&
           dwarf_nextcu(dwarf, offset, &next, &header_bytes, NULL, NULL, NULL) == 0 && next > offset) {
        Dwarf_Die unit;
        if (dwarf_offdie(dwarf, offset + header_bytes, &unit))
            search_scope(&lister, &unit, "", 0);
        offset = next;
    }
    if (!lister.is_found)
        return error_set(err, STATUS_NOT_FOUND, "no debug information describes a structure called \"%s\"",
                         name);
    *size_bytes = lister.size_bytes;
    return STATUS_OK;
}
