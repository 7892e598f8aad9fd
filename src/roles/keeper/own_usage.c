/* own_usage.c - see own_usage.h. Fields of proc_pid_stat(5). */
#include "roles/keeper/own_usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Time of children that were waited for is added by the keeper's own row. */
static void add_process(const char *procfs, pid_t pid, bool with_ended, struct message_usage *usage)
{
    char path[320], text[1024];
    uint64_t user, system, ended_user, ended_system, virtual_bytes, resident_pages;
    snprintf(path, sizeof path, "%s/%d/stat", procfs, (int)pid);
    scoped_file FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest,
                        ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64
                        " %" SCNu64 " %*d %*d %*d %*d %*u %" SCNu64 " %" SCNu64,
                        &user, &system, &ended_user, &ended_system, &virtual_bytes, &resident_pages) != 6)
        return;
    uint64_t ticks = user + system + (with_ended ? ended_user + ended_system : 0);
    usage->cpu_ns += ticks * (NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
    usage->virtual_bytes += virtual_bytes;
    usage->resident_bytes += resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
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
