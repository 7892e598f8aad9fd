/*
 * symbols.h - what the resolver does: build-ids, ELF symbols, debug files and DWARF layouts of one module.
 *
 * The only room that uses libelf and libdw. It runs in the resolver role alone, without any power.
 */
#ifndef SYMBOLS_SYMBOLS_H
#define SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/** A file that the resolver would like to have opened for it: the one whose build-id this is. */
struct symbols_wanted {
    uint8_t build_id[64];
    uint32_t build_id_length;
    char debuglink[256];    /* base name of .gnu_debuglink, "" where there is none */
    uint32_t debuglink_crc; /* of the whole file that it names */
};

/** One symbol asked for by name: @name in, the rest out. */
struct symbols_query {
    const char *name;
    bool is_found;
    bool is_tls;    /* then @value is an offset in PT_TLS */
    uint64_t value; /* link-time address */
    uint64_t size_bytes;
};

/** One member asked for: offset in bytes of @member in struct @structure, -1 where it has none. */
struct symbols_member {
    const char *structure;
    const char *member; /* NULL: the struct's own size */
    int32_t offset;
    bool is_found; /* the struct is described at all */
};

/**
 * Look up @queries in the .symtab (then .dynsym) of the ELF file @fd, which stays the caller's.
 * STATUS_BAD_DATA: not an ELF file that can be read.
 */
enum status symbols_lookup(int fd, struct symbols_query *queries, unsigned count,
                           struct error *err) must_check;

/** What to ask for where the file itself has too little: its build-id and debug link. STATUS_BAD_DATA as
 * above. */
enum status symbols_wanted_of(int fd, struct symbols_wanted *ret, struct error *err) must_check;

/**
 * STATUS_OK: the file's build-id is this one; STATUS_NOT_FOUND: it is another; STATUS_BAD_DATA: it has none
 * that can be read.
 */
enum status symbols_check_build_id(int fd, const uint8_t *build_id, uint32_t length) must_check;

/** The same of the CRC-32 of the whole file, as .gnu_debuglink means it. */
enum status symbols_check_crc(int fd, uint32_t crc) must_check;

/**
 * Look up @members in the DWARF of @fd (.debug_info, compressed or not). STATUS_NOT_FOUND: it has no DWARF.
 */
enum status symbols_layout(int fd, struct symbols_member *members, unsigned count,
                           struct error *err) must_check;

/** A symbol, or a member of a structure; the texts are as in the file and stay until the callback returns. */
struct symbols_found {
    const char *name; /* demangled; a member's path, "a.b" */
    const char *type; /* "function", "object", "thread_local", "ifunc", "other"; a member's type */
    uint64_t value;   /* link-time address, or a member's offset in bytes */
    uint64_t size_bytes;
    uint32_t count; /* elements of a member that is an array; 1 else */
    uint32_t form;  /* enum symbols_form, of members */
};
enum symbols_form {
    SYMBOLS_UNSIGNED,
    SYMBOLS_SIGNED,
    SYMBOLS_POINTER,
    SYMBOLS_BOOL,
    SYMBOLS_CHAR,
    SYMBOLS_FLOAT,
    SYMBOLS_OTHER
};
/** Takes one; false: no more are wanted. */
typedef bool symbols_take(void *context, const struct symbols_found *found);

/**
 * Whether the file has a .symtab; without one only what it exports is known of it. STATUS_BAD_DATA: that
 * cannot be read.
 */
enum status symbols_has_symtab(int fd, bool *ret, struct error *err) must_check;

/**
 * The symbols of @fd (.symtab, or .dynsym where it has none) whose name, mangled or demangled, holds @text,
 * or is it (@is_exact). STATUS_NOT_FOUND: it has neither table; STATUS_BAD_DATA: some may not have been read,
 * whatever was taken.
 */
enum status symbols_by_name(int fd, const char *text, bool is_exact, symbols_take *take, void *context,
                            struct error *err) must_check;

/** The symbol of @fd that contains the link-time @address, if any has it. STATUS_NOT_FOUND as above. */
enum status symbols_by_address(int fd, uint64_t address, symbols_take *take, void *context,
                               struct error *err) must_check;

/**
 * The members of the structure, union or class called @name ("space::name" in a namespace), those of nested
 * ones by path. STATUS_NOT_FOUND: the file has no DWARF, or that does not describe it. *@size_bytes: its own.
 */
enum status symbols_structure(int fd, const char *name, symbols_take *take, void *context,
                              uint64_t *size_bytes, struct error *err) must_check;

#endif
