/* facts.c - see facts.h. Files: proc_pid_cmdline(5), proc_pid_status(5), proc_pid_cgroup(5). */
#include "roles/scanner/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "roles/scanner/scan_process.h"

#define CGROUPS_MAX (64 * 1024)
#define STATUS_MAX (64 * 1024)

/* At most @limit bytes of a file of the process; nothing where it may not be read. */
static void read_file(int directory_fd, const char *name, size_t limit, struct buffer *ret)
{
    char block[4096];
    ssize_t got;
    scoped_fd int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && ret->length < limit && (got = read(fd, block, sizeof block)) > 0)
        buffer_append(ret, block, (size_t)got);
}

static void read_link(int directory_fd, const char *name, char *link, size_t size)
{
    ssize_t length = readlinkat(directory_fd, name, link, size - 1);
    link[length > 0 ? length : 0] = '\0';
}

/* A byte that is no UTF-8 is U+FFFD for patterns, as it is for RE2: PCRE2's "." would not match it. */
static void clean_line(struct buffer *line)
{
    size_t size = 3 * line->length + 1;
    scoped_free char *clean = malloc(size);
    if (!clean)
        return;
    utf8_clean(clean, size, buffer_string(line));
    buffer_clear(line);
    buffer_text(line, clean);
}

/* argv[0] as it is, and all of argv with blanks for the NULs between; neither without argv. */
static void read_command_line(int directory_fd, struct facts *facts)
{
    read_file(directory_fd, "cmdline", FACTS_COMMAND_LINE_MAX, &facts->command_line);
    struct buffer *line = &facts->command_line;
    facts->has_argv = line->length > 0;
    const char *end = line->length ? memchr(line->data, '\0', line->length) : NULL;
    if (line->length)
        buffer_append(&facts->argv0, line->data, end ? (size_t)(end - line->data) : line->length);
    while (line->length && line->data[line->length - 1] == '\0')
        line->length--;
    for (size_t i = 0; i < line->length; i++)
        if (line->data[i] == '\0')
            line->data[i] = ' ';
    clean_line(line);
}

/* The effective user and the pid in the innermost namespace. */
static void read_status(int directory_fd, const struct users *users, struct facts *facts)
{
    scoped_buffer struct buffer status = {0};
    read_file(directory_fd, "status", STATUS_MAX, &status);
    const char *text = buffer_string(&status);
    const char *uids = strstr(text, "\nUid:\t"), *pids = strstr(text, "\nNSpid:\t");
    unsigned effective;
    if (uids && sscanf(uids, "\nUid:\t%*u\t%u", &effective) == 1)
        users_name(users, effective, facts->user, sizeof facts->user);
    if (!pids)
        return;
    const char *line_end = strchr(pids + 1, '\n');
    const char *last = pids;
    for (const char *tab = pids; tab && (!line_end || tab < line_end); tab = strchr(tab + 1, '\t'))
        last = tab;
    facts->match.own_pid = (int32_t)strtol(last, NULL, 10);
}

static uint64_t uptime_ns(uint64_t start_time_ticks)
{
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    uint64_t now_ns = (uint64_t)boot.tv_sec * NS_PER_SECOND + (uint64_t)boot.tv_nsec;
    uint64_t tick_ns = NS_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t start_ns = start_time_ticks * tick_ns;
    return now_ns > start_ns ? now_ns - start_ns : 0;
}

enum status facts_read(const char *procfs, int32_t pid, const struct proc_stat *stat,
                       const struct users *users, struct facts *facts, struct error *err)
{
    char path[320];
    struct proc_stat now;
    /* a leader that has exited has no command line, exe and root any more */
    snprintf(path, sizeof path, "%s/%d/task/%d", procfs, (int)pid, (int)stat->live_tid);
    scoped_fd int directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)pid);
    snprintf(facts->comm, sizeof facts->comm, "%s", stat->comm);
    read_command_line(directory_fd, facts);
    read_link(directory_fd, "exe", facts->exe, sizeof facts->exe);
    read_link(directory_fd, "cwd", facts->cwd, sizeof facts->cwd);
    read_file(directory_fd, "cgroup", CGROUPS_MAX, &facts->cgroups);
    read_status(directory_fd, users, facts);
    cgroup_parse(buffer_string(&facts->cgroups), &facts->names);
    /* the files above may be of a later process with that pid */
    if (proc_stat_read(procfs, pid, &now, NULL) != STATUS_OK ||
        now.start_time_ticks != stat->start_time_ticks)
        return error_set(err, STATUS_GONE, "process %d has ended", (int)pid);
    struct process_facts *match = &facts->match;
    match->pid = pid;
    match->comm = facts->comm;
    match->argv0 = facts->has_argv ? buffer_string(&facts->argv0) : NULL;
    match->cmdline = buffer_string(&facts->command_line);
    match->exe_path = facts->exe;
    match->user = facts->user;
    match->unit = facts->names.unit;
    match->cgroups = buffer_string(&facts->cgroups);
    match->cwd = facts->cwd;
    match->container_id = facts->names.container_id;
    match->pod_uid = facts->names.pod_uid;
    match->start_time_seconds = scan_start_time_seconds(stat->start_time_ticks);
    match->uptime_ns = uptime_ns(stat->start_time_ticks);
    return STATUS_OK;
}

void facts_deinit(struct facts *facts)
{
    buffer_deinit(&facts->command_line);
    buffer_deinit(&facts->argv0);
    buffer_deinit(&facts->cgroups);
}
