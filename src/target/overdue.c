/* overdue.c - see overdue.h. */
#include "target/overdue.h"

#include <unistd.h>

#include "base/clock.h"

static uint64_t passed_ns(const struct overdue *overdue, uint64_t now_ns)
{
    uint64_t passed = now_ns - overdue->looked_ns;
    return passed < OVERDUE_LOOK_MAX_NS ? passed : OVERDUE_LOOK_MAX_NS;
}

uint64_t overdue_look(struct overdue *overdue, const struct proc_stat *stat, uint64_t now_ns)
{
    uint64_t ticks = stat ? stat->user_ticks + stat->system_ticks : 0;
    if (overdue->looked_ns != 0) {
        uint64_t ran_ns = (ticks - overdue->cpu_ticks) * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
        overdue->spent_ns += stat && stat->state == 'R' ? ran_ns : passed_ns(overdue, now_ns);
    }
    overdue->looked_ns = now_ns;
    overdue->cpu_ticks = ticks;
    return overdue->spent_ns;
}
