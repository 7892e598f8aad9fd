/* fixture.c - see fixture.h. */
#include "support/fixture.h"

struct spawned subject;

int begin_faults(void **state)
{
    (void)state;
    return spawn_target(&subject, "faults", NULL) ? 0 : 1;
}

int end_subject(void **state)
{
    (void)state;
    spawn_end(&subject);
    return 0;
}
