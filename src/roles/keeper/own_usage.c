/* own_usage.c - see own_usage.h. */
#include "roles/keeper/own_usage.h"

#include <unistd.h>

#include "base/clock.h"
#include "target/live.h"

/* Time of children that were waited for is added by the keeper's own row. */
static void add_process(const char *procfs, pid_t pid, bool with_ended, struct message_usage *usage)
{
    struct proc_stat stat;
    if (pid <= 0 || proc_stat_read(procfs, pid, &stat, NULL) != STATUS_OK)
        return;
    uint64_t ticks = stat.user_ticks + stat.system_ticks;
    if (with_ended)
        ticks += stat.ended_user_ticks + stat.ended_system_ticks;
    usage->cpu_ns += ticks * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
    usage->virtual_bytes += stat.virtual_bytes;
    usage->resident_bytes += stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void own_usage_tell(struct keeper *keeper)
{
    const char *procfs = keeper->options->procfs;
    struct message_usage usage = {0};
    add_process(procfs, getpid(), true, &usage);
    for (size_t i = 0; i < KEEPER_CHILDREN; i++)
        add_process(procfs, keeper->children[i].pid, false, &usage);
    for (size_t i = 0; i < keeper->helpers.count; i++)
        add_process(procfs, keeper->helpers.items[i].pid, false, &usage);
    keeper->usage_ns = clock_monotonic_ns();
    (void)child_send(&keeper->children[KEEPER_FRONT], MESSAGE_USAGE, &usage, -1);
}

void own_usage_refresh(struct keeper *keeper, uint64_t now_ns)
{
    if (now_ns - keeper->usage_ns >= NS_PER_SECOND)
        own_usage_tell(keeper);
}
