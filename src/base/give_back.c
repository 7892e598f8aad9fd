/* give_back.c - see give_back.h. */
#include "base/give_back.h"

#include <malloc.h>
#include <stdatomic.h>

#include "base/clock.h"

#define INTERVAL_NS (10 * NS_PER_SECOND)

static atomic_bool is_wanted;

void give_back_want(void)
{
    atomic_store(&is_wanted, true);
}

bool give_back_if_due(uint64_t now_ns)
{
    static uint64_t last_ns;
    if (now_ns - last_ns < INTERVAL_NS || !atomic_exchange(&is_wanted, false))
        return false;
    last_ns = now_ns;
    malloc_trim(0);
    return true;
}
