/* own_usage.c - see own_usage.h. Fields of proc_pid_stat(5). */
#include "roles/front/own_usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Time of children that were waited for is added by the keeper's own row. */
static void add_process(const char *procfs, int32_t pid, bool with_ended, struct own_usage *usage)
{
    char path[320], text[1024];
    uint64_t user, system, ended_user, ended_system, virtual_bytes, resident_pages;
    snprintf(path, sizeof path, "%s/%d/stat", procfs, (int)pid);
    scoped_file FILE *file = fopen(path, "re");
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

static void add_children(const char *procfs, int32_t keeper_pid, struct own_usage *usage)
{
    char path[320];
    int pid;
    snprintf(path, sizeof path, "%s/%d/task/%d/children", procfs, (int)keeper_pid, (int)keeper_pid);
    scoped_file FILE *file = fopen(path, "re");
    while (file && fscanf(file, "%d", &pid) == 1)
        add_process(procfs, pid, false, usage);
}

static uint64_t count_descriptors(const char *procfs)
{
    char path[320];
    uint64_t count = 0;
    snprintf(path, sizeof path, "%s/self/fd", procfs);
    DIR *directory = opendir(path);
    while (directory && readdir(directory))
        count++;
    if (!directory)
        return 0;
    closedir(directory);
    return count - 3; /* ".", ".." and the one that counts */
}

static uint64_t limit_of(int resource)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

void own_usage_read(const char *procfs, int32_t keeper_pid, struct own_usage *ret)
{
    *ret = (struct own_usage){0};
    add_process(procfs, keeper_pid, true, ret);
    add_children(procfs, keeper_pid, ret);
    ret->open_fds = count_descriptors(procfs);
    ret->max_fds = limit_of(RLIMIT_NOFILE);
    ret->virtual_max_bytes = limit_of(RLIMIT_AS);
}
