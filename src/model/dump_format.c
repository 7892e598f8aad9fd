/* dump_format.c - names and content types of the dump formats. */
#include "model/dump_format.h"

#include <string.h>

static const struct {
    const char *name;
    const char *content_type;
} FORMATS[DUMP_FORMAT_COUNT] = {
#define X(name, label, type) [DUMP_##name] = {label, type},
    DUMP_FORMAT_TABLE(X)
#undef X
};

const char *dump_format_content_type(enum dump_format format)
{
    return FORMATS[format].content_type;
}

int dump_format_parse(const char *name)
{
    for (int format = 0; format < DUMP_FORMAT_COUNT; format++)
        if (strcmp(FORMATS[format].name, name) == 0)
            return format;
    return -1;
}
