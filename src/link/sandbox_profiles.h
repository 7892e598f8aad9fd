/* sandbox_profiles.h - the tables behind sandbox.h; for sandbox.c only. */
#ifndef LINK_SANDBOX_PROFILES_H
#define LINK_SANDBOX_PROFILES_H

#include <stddef.h>
#include <stdint.h>

#include "link/messages.h"

/** On what a call depends. */
enum sandbox_condition {
    SANDBOX_ALWAYS,
    SANDBOX_READ_ONLY,    /* flags open for reading only, and create nothing; else it kills */
    SANDBOX_NOT_EXEC,     /* memory that cannot be executed; else it kills */
    SANDBOX_THREAD,       /* a thread, no process; else it kills */
    SANDBOX_EQUALS,       /* the argument is @value; else the call is unknown */
    SANDBOX_NOTHING_ELSE, /* the argument is @value; else it kills */
    SANDBOX_REFUSED,      /* ENOSYS without a word: a library asks and does without */
    SANDBOX_NO_SEEK,      /* ESPIPE: the file is taken for a pipe */
};

/** A call that the roles in @roles (bits) may make. More than one row may name a call. */
struct sandbox_row {
    const char *call;
    uint32_t roles;
    enum sandbox_condition condition;
    unsigned argument; /* its index, for all but SANDBOX_ALWAYS, REFUSED and NO_SEEK */
    uint64_t value;
};

/** What each role may call, and how many rows there are. */
extern const struct sandbox_row SANDBOX_ROWS[];
extern const size_t SANDBOX_ROWS_COUNT;

/** Calls that kill where no row of the role allows them. */
extern const char *const SANDBOX_HARMFUL[];
extern const size_t SANDBOX_HARMFUL_COUNT;

/**
 * The newest call that the tables were held against. Later ones get ENOSYS, as from a kernel that does not
 * have them, and no line in the log: no handler has to run for that, which some of a C library's calls leave
 * no room for.
 */
extern const uint32_t SANDBOX_NEWEST_CALL;

/** Calls that kill in every role, the keeper included. */
extern const char *const SANDBOX_NEVER[];
extern const size_t SANDBOX_NEVER_COUNT;

#endif
