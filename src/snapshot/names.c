/* names.c - names of the enumerators in snapshot.h, from their tables. */
#include "snapshot/snapshot.h"

#include <string.h>

#define X(name, label) label,
static const char *const FOUND_BY[] = {FOUND_BY_TABLE(X)};
static const char *const CONSISTENCIES[] = {CONSISTENCY_TABLE(X)};
static const char *const MODE_WHYS[] = {MODE_WHY_TABLE(X)};
#undef X

static const struct {
    const char *name;
    bool has_bytes;
} CHECKS[CHECK_COUNT] = {
#define X(name, label, has_bytes) [CHECK_##name] = {label, has_bytes},
    CHECK_TABLE(X)
#undef X
};

const char *found_by_name(enum found_by found_by)
{
    return FOUND_BY[found_by];
}

const char *consistency_name(enum consistency consistency)
{
    return CONSISTENCIES[consistency];
}

int consistency_parse(const char *name)
{
    for (int value = 0; value < CONSISTENCY_COUNT; value++)
        if (strcmp(CONSISTENCIES[value], name) == 0)
            return value;
    return -1;
}

const char *mode_why_name(enum mode_why why)
{
    return MODE_WHYS[why];
}

const char *check_name(enum check check)
{
    return CHECKS[check].name;
}

bool check_has_bytes(enum check check)
{
    return CHECKS[check].has_bytes;
}
