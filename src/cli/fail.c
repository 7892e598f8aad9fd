/* fail.c - see fail.h. */
#include "cli/fail.h"

#include <stdio.h>

int cli_fail(const struct error *err)
{
    fprintf(stderr, "malloc_exporter: %s\n", err->message);
    return status_exit_code(err->status);
}
