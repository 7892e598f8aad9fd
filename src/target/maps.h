/* maps.h - the mappings of an address space, as /proc/PID/maps lists them (proc_pid_maps(5)). */
#ifndef TARGET_MAPS_H
#define TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** One mapping [@start, @end). @name is the last column ("" where there is none), owned by the maps; a
 * newline in it stays as the kernel writes it, "\012". */
struct mapping {
    uint64_t start;
    uint64_t end;
    uint64_t offset; /* in the file */
    uint64_t inode;  /* 0: no file */
    uint32_t device_major;
    uint32_t device_minor;
    bool is_readable;
    bool is_writable;
    bool is_executable;
    bool is_shared;
    bool is_deleted; /* the file's name ended in " (deleted)", which @name leaves out */
    const char *name;
};

/** All mappings by rising address. */
struct maps {
    struct mapping *rows;
    size_t count;
    char *names; /* what the rows' names point into */
};

/**
 * Parse the text of a maps file. Lines that are not of its form are STATUS_BAD_DATA with their number.
 * @text needs no NUL behind it. maps_deinit() ends *@ret.
 */
enum status maps_parse(const char *text, size_t length, struct maps *ret, struct error *err) must_check;

/** Free and empty; zeroed maps are allowed. */
void maps_deinit(struct maps *maps);
#define scoped_maps __attribute__((cleanup(maps_deinit)))

/** The mapping that contains @address, or NULL. */
const struct mapping *maps_find(const struct maps *maps, uint64_t address);

/** Whether [@start, @start + @length) lies in readable and writable mappings without a gap. */
bool maps_is_writable(const struct maps *maps, uint64_t start, uint64_t length);

/** Whether both have the same mappings at the same places. */
bool maps_are_equal(const struct maps *a, const struct maps *b);

/** A private, writable mapping of no file: where an allocator's memory can lie. Stacks and names count too.
 */
bool mapping_is_anonymous(const struct mapping *mapping);

#endif
