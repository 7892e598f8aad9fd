/* accept.c - see accept.h. */
#include "roles/front/http/accept.h"

#include <string.h>
#include <strings.h>

#define WEIGHT_MAX 1000 /* q=1 */

/** One element of a list: its name, its version (length 0: none), its weight in thousandths. */
struct element {
    const char *name, *version;
    size_t name_length, version_length;
    unsigned weight;
};

static bool is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        (*length)--;
}

/* 0, 0.5, 1.000 to thousandths; -1: it is none. */
static int parse_weight(const char *text, size_t length)
{
    if (length == 0 || (text[0] != '0' && text[0] != '1') || (length > 1 && text[1] != '.') || length > 5)
        return -1;
    int weight = (text[0] - '0') * WEIGHT_MAX, unit = WEIGHT_MAX / 10;
    for (size_t i = 2; i < length; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        weight += (text[i] - '0') * unit;
    }
    return weight > WEIGHT_MAX ? -1 : weight;
}

static void take_parameter(const char *text, size_t length, struct element *ret)
{
    const char *equals = memchr(text, '=', length);
    if (!equals)
        return;
    size_t name_length = (size_t)(equals - text);
    const char *value = equals + 1;
    size_t value_length = length - name_length - 1;
    trim(&text, &name_length);
    trim(&value, &value_length);
    if (value_length >= 2 && value[0] == '"' && value[value_length - 1] == '"') {
        value++;
        value_length -= 2;
    }
    int weight = is(text, name_length, "q") ? parse_weight(value, value_length) : (int)ret->weight;
    ret->weight = weight < 0 ? 0 : (unsigned)weight; /* a weight that is none: as if it were not there */
    if (is(text, name_length, "version")) {
        ret->version = value;
        ret->version_length = value_length;
    }
}

/* The next element of the list at *@at, which moves behind it; false: no more. */
static bool next_element(const char **at, struct element *ret)
{
    if (!**at)
        return false;
    size_t length = strcspn(*at, ",");
    const char *part = *at, *end = *at + length;
    *ret = (struct element){.weight = WEIGHT_MAX};
    for (bool is_first = true; part <= end; is_first = false) {
        const char *text = part, *semicolon = memchr(part, ';', (size_t)(end - part));
        size_t part_length = (size_t)((semicolon ? semicolon : end) - part);
        part += part_length + 1;
        trim(&text, &part_length);
        if (is_first) {
            ret->name = text;
            ret->name_length = part_length;
        } else {
            take_parameter(text, part_length, ret);
        }
    }
    *at = *end ? end + 1 : end;
    return true;
}

static bool has_version(const struct element *element, const char *version)
{
    return element->version_length == 0 || is(element->version, element->version_length, version);
}

enum exposition_format accept_exposition(const char *accept)
{
    enum exposition_format best = EXPOSITION_TEXT;
    unsigned best_weight = 0;
    struct element element;
    while (accept && next_element(&accept, &element)) {
        enum exposition_format format = EXPOSITION_TEXT;
        if (is(element.name, element.name_length, "application/openmetrics-text") &&
            has_version(&element, "1.0.0"))
            format = EXPOSITION_OPENMETRICS;
        else if (!(is(element.name, element.name_length, "text/plain") && has_version(&element, "0.0.4")) &&
                 !is(element.name, element.name_length, "text/*") &&
                 !is(element.name, element.name_length, "*/*"))
            continue;
        if (element.weight > best_weight) {
            best = format;
            best_weight = element.weight;
        }
    }
    return best;
}

bool accept_takes_gzip(const char *accept_encoding)
{
    struct element element;
    bool any = false;
    while (accept_encoding && next_element(&accept_encoding, &element)) {
        if (is(element.name, element.name_length, "gzip") || is(element.name, element.name_length, "x-gzip"))
            return element.weight > 0;
        if (is(element.name, element.name_length, "*"))
            any = element.weight > 0;
    }
    return any;
}
