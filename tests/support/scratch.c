/* scratch.c - see scratch.h. */
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>

char scratch[] = "/tmp/malloc_exporter-test.XXXXXX";

int scratch_make(void **state)
{
    (void)state;
    return mkdtemp(scratch) ? 0 : -1;
}

int scratch_remove(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", scratch);
    return system(command);
}
