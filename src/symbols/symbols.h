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

/** What to ask for where the file itself has too little: its build-id and debug link. */
enum status symbols_wanted_of(int fd, struct symbols_wanted *ret, struct error *err) must_check;

/** Whether the file's build-id is this one. */
bool symbols_has_build_id(int fd, const uint8_t *build_id, uint32_t length);

/** Whether the CRC-32 of the whole file is @crc, as .gnu_debuglink means it. */
bool symbols_has_crc(int fd, uint32_t crc);

/**
 * Look up @members in the DWARF of @fd (.debug_info, compressed or not). STATUS_NOT_FOUND: it has no DWARF.
 */
enum status symbols_layout(int fd, struct symbols_member *members, unsigned count,
                           struct error *err) must_check;

#endif
