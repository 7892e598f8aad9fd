/* values.c - see values.h. */
#include "config/values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Longer names first where one begins another. */
static const struct unit DURATION_UNITS[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
    {"d", UINT64_C(86400000000000)},
    {"w", UINT64_C(604800000000000)},
};
static const struct unit SIZE_UNITS[] = {
    {"", 1},
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", UINT64_C(1000000000)},
};

/* Digits with a point at most; false: none, or too large. */
static bool take_number(const char **at, double *ret)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    size_t length = strspn(*at, "0123456789.");
    double value = strtod(*at, &end);
    if (end != *at + length || !isfinite(value))
        return false;
    *at = end;
    *ret = value;
    return true;
}

static bool add_scaled(uint64_t *total, double number, uint64_t factor)
{
    double value = number * (double)factor;
    if (value >= 9e18 - (double)*total)
        return false;
    *total += (uint64_t)(value + 0.5);
    return true;
}

bool value_duration(const char *text, uint64_t *ns_ret)
{
    uint64_t total = 0;
    if (strcmp(text, "0") == 0) {
        *ns_ret = 0;
        return true;
    }
    if (!*text)
        return false;
    while (*text) {
        double number;
        const struct unit *found = NULL;
        if (!take_number(&text, &number))
            return false;
        size_t length = strcspn(text, "0123456789");
        for (size_t i = 0; i < sizeof DURATION_UNITS / sizeof *DURATION_UNITS; i++)
            if (strlen(DURATION_UNITS[i].name) == length &&
                strncmp(text, DURATION_UNITS[i].name, length) == 0)
                found = &DURATION_UNITS[i];
        if (!found || !add_scaled(&total, number, found->factor))
            return false;
        text += length;
    }
    *ns_ret = total;
    return true;
}

bool value_size(const char *text, uint64_t *bytes_ret)
{
    double number;
    uint64_t total = 0;
    if (!take_number(&text, &number))
        return false;
    while (*text == ' ')
        text++;
    for (size_t i = 0; i < sizeof SIZE_UNITS / sizeof *SIZE_UNITS; i++) {
        if (strcmp(text, SIZE_UNITS[i].name) != 0 || !add_scaled(&total, number, SIZE_UNITS[i].factor))
            continue;
        *bytes_ret = total;
        return true;
    }
    return false;
}

bool value_share(const char *text, double *ret)
{
    double number;
    if (!take_number(&text, &number))
        return false;
    if (strcmp(text, "%") == 0)
        number /= 100;
    else if (*text)
        return false;
    *ret = number;
    return number > 0;
}

bool value_bool(const char *text, bool *ret)
{
    *ret = strcmp(text, "true") == 0;
    return *ret || strcmp(text, "false") == 0;
}

bool value_count(const char *text, uint64_t *ret)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end)
        return false;
    *ret = value;
    return true;
}
