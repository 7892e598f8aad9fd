/* values.c - see values.h. */
#include "config/values.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* more digits after the point change nothing that is counted here */
#define FRACTION_DIGITS_MAX 9
#define PERCENT_DIGITS_MAX 9

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit DURATION_UNITS[] = {
    {"ns", 1},
    {"us", 1000},
    {"µs", 1000},
    {"ms", 1000000},
    {"s", UINT64_C(1000000000)},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
    {"d", UINT64_C(86400000000000)},
    {"w", UINT64_C(604800000000000)},
    {NULL, 0},
};

static const struct unit SIZE_UNITS[] = {
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"", 1},
    {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits at *@at, which then stands behind them. False: there are none, or too many. */
static bool take_digits(const char **at, uint64_t *ret)
{
    uint64_t value = 0;
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++)
        if (!checked_mul(value, 10, &value) || !checked_add(value, (uint64_t)(**at - '0'), &value))
            return false;
    *ret = value;
    return true;
}

/* ".5" at *@at as 500000000 of 10^9; 0 where there is no point. False: a point without digits. */
static bool take_fraction(const char **at, uint64_t *billionths)
{
    uint64_t value = 0;
    unsigned digits = 0;
    *billionths = 0;
    if (**at != '.')
        return true;
    (*at)++;
    for (; is_digit(**at); (*at)++, digits++)
        if (digits < FRACTION_DIGITS_MAX)
            value = value * 10 + (uint64_t)(**at - '0');
    for (unsigned i = digits; i < FRACTION_DIGITS_MAX; i++)
        value *= 10;
    *billionths = value;
    return digits > 0;
}

/* The unit that is the first @length bytes of @text, or NULL. */
static const struct unit *find_unit(const struct unit *units, const char *text, size_t length)
{
    for (; units->name; units++)
        if (strlen(units->name) == length && memcmp(units->name, text, length) == 0)
            return units;
    return NULL;
}

bool value_duration(const char *text, uint64_t *ns_ret)
{
    uint64_t total = 0;
    if (strcmp(text, "0") == 0) {
        *ns_ret = 0;
        return true;
    }
    do {
        uint64_t whole, billionths, part;
        if (!take_digits(&text, &whole) || !take_fraction(&text, &billionths))
            return false;
        size_t length = strcspn(text, "0123456789.");
        const struct unit *unit = find_unit(DURATION_UNITS, text, length);
        if (!unit || !checked_mul(whole, unit->factor, &part) || !checked_add(total, part, &total))
            return false;
        /* at most 10^9 times a week: beyond 64 bits */
        __extension__ unsigned __int128 fraction = billionths;
        fraction = fraction * unit->factor / 1000000000;
        if (!checked_add(total, (uint64_t)fraction, &total))
            return false;
        text += length;
    } while (*text);
    *ns_ret = total;
    return true;
}

bool value_size(const char *text, uint64_t *bytes_ret)
{
    uint64_t number;
    if (!take_digits(&text, &number))
        return false;
    bool is_apart = *text == ' ';
    text += is_apart;
    const struct unit *unit = find_unit(SIZE_UNITS, text, strlen(text));
    return unit && !(is_apart && !*text) && checked_mul(number, unit->factor, bytes_ret);
}

bool value_percent(const char *text, double *ret)
{
    const char *at = text;
    uint64_t whole, billionths;
    if (!take_digits(&at, &whole) || at - text > PERCENT_DIGITS_MAX || !take_fraction(&at, &billionths) ||
        strcmp(at, "%") != 0)
        return false;
    *ret = ((double)whole + (double)billionths / 1e9) / 100;
    return true;
}

bool value_bool(const char *text, bool *ret)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return false;
    *ret = is_true;
    return true;
}

bool value_count(const char *text, uint64_t *ret)
{
    uint64_t value;
    if (!take_digits(&text, &value) || *text)
        return false;
    *ret = value;
    return true;
}
