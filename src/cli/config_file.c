/* config_file.c - see config_file.h. */
#include "cli/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum status config_file_load(const char *path, struct config **ret)
{
    struct error err = {0};
    scoped_buffer struct buffer problems = {0};
    scoped_free char *text = malloc(CONFIG_FILE_BYTES_MAX + 1);
    scoped_file FILE *file = fopen(path, "re");
    if (!file || !text) {
        fprintf(stderr, "malloc_exporter: %s: %s\n", path, strerror(errno));
        return STATUS_USAGE;
    }
    size_t length = fread(text, 1, CONFIG_FILE_BYTES_MAX + 1, file);
    if (ferror(file))
        error_set(&err, STATUS_USAGE, "%s: %s", path, strerror(errno));
    else if (length > CONFIG_FILE_BYTES_MAX)
        error_set(&err, STATUS_USAGE, "%s: larger than %d bytes", path, CONFIG_FILE_BYTES_MAX);
    else if (config_load(path, text, length, ret, &problems, &err) == STATUS_OK)
        return STATUS_OK;
    fprintf(stderr, "%s%s\n", buffer_string(&problems), err.message);
    return STATUS_USAGE;
}
