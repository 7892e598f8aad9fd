/* find_process.c - see find_process.h. */
#include "cli/find_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "config/pattern.h"
#include "encode/report.h"
#include "target/proc_file.h"

#define COMMAND_LINE_MAX 65536
#define CANDIDATES_MAX 32u
#define LINE_SHOWN 80

/* argv joined by blanks; "" where there is none, or the process is gone. */
static void read_command_line(const char *procfs, int32_t pid, char *line, size_t size)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%d/cmdline", procfs, pid);
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;
    while (fd >= 0 && length < size - 1 && (got = read(fd, line + length, size - 1 - length)) > 0)
        length += (size_t)got;
    while (length && line[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\0')
            line[i] = ' ';
    line[length] = '\0';
}

/* One of several, as it is listed. */
struct candidate {
    int32_t pid;
    uint64_t resident_bytes;
    char comm[64];
    char line[LINE_SHOWN + 1];
};

struct search {
    const char *procfs;
    const char *name;
    struct pattern *pattern;
    char *line;
    int32_t found;
    unsigned count;
    struct candidate candidates[CANDIDATES_MAX];
};

static bool is_wanted(struct search *search, int32_t pid, const char *comm)
{
    read_command_line(search->procfs, pid, search->line, COMMAND_LINE_MAX);
    if (search->name)
        return strcmp(comm, search->name) == 0;
    return pattern_match(search->pattern, search->line, strlen(search->line)) == PATTERN_MATCHES;
}

static void consider(struct search *search, int32_t pid)
{
    struct proc_stat stat;
    if (pid == getpid() || proc_stat_read(search->procfs, pid, &stat, NULL) != STATUS_OK ||
        proc_stat_is_kernel_thread(&stat) || proc_stat_has_ended(&stat) || !is_wanted(search, pid, stat.comm))
        return;
    search->found = pid;
    if (search->count < CANDIDATES_MAX) {
        struct candidate *candidate = &search->candidates[search->count];
        candidate->pid = pid;
        candidate->resident_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
        utf8_clean(candidate->comm, sizeof candidate->comm, stat.comm);
        utf8_clean(candidate->line, sizeof candidate->line, search->line);
    }
    search->count++;
}

static enum status search_all(struct search *search, struct error *err)
{
    scoped_directory DIR *directory = opendir(search->procfs);
    if (!directory)
        return error_errno(err, errno, "%s", search->procfs);
    pid_t pid;
    while ((pid = proc_next_pid(directory)) != 0)
        consider(search, pid);
    return errno == 0 ? STATUS_OK : error_errno(err, errno, "list the processes in %s", search->procfs);
}

static enum status compile(struct search *search, const char *pattern, struct error *err)
{
    size_t offset = 0;
    enum status status = pattern ? pattern_new(pattern, &search->pattern, &offset, err) : STATUS_OK;
    if (status == STATUS_USAGE)
        error_context(err, "--pattern: at byte %zu: ", offset + 1);
    return status;
}

/* Names are the processes' own: what a terminal would obey is shown as "?". */
static void print_visible(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

static void list_candidates(const struct search *search, FILE *out)
{
    fprintf(out, "%9s  %10s  %-15s  %s\n", "PID", "RESIDENT", "NAME", "COMMAND LINE");
    for (unsigned i = 0; i < search->count && i < CANDIDATES_MAX; i++) {
        const struct candidate *candidate = &search->candidates[i];
        char resident[24];
        report_human_bytes(candidate->resident_bytes, resident);
        fprintf(out, "%9d  %10s  ", (int)candidate->pid, resident);
        print_visible(out, candidate->comm);
        fprintf(out, "%*s  ", (int)(15 - min_u64(15, strlen(candidate->comm))), "");
        print_visible(out, candidate->line);
        fputc('\n', out);
    }
    if (search->count > CANDIDATES_MAX)
        fprintf(out, "%9s  and %u more\n", "", search->count - CANDIDATES_MAX);
}

enum status find_process(const char *procfs, const char *name, const char *pattern, int32_t *ret,
                         struct error *err)
{
    struct search search = {.procfs = procfs, .name = name};
    scoped_free char *line = malloc(COMMAND_LINE_MAX);
    if (!line)
        return error_set(err, STATUS_NO_MEMORY, "no memory for command lines");
    search.line = line;
    enum status status = compile(&search, pattern, err);
    if (status == STATUS_OK)
        status = search_all(&search, err);
    pattern_free(search.pattern);
    if (status != STATUS_OK)
        return status;
    const char *wanted = name ? name : pattern;
    if (search.count == 0)
        return error_set(err, STATUS_NO_PROCESS, "no process is called or matches \"%s\"", wanted);
    if (search.count > 1) {
        list_candidates(&search, stderr);
        return error_set(err, STATUS_USAGE, "\"%s\" means %u processes: name one by its PID", wanted,
                         search.count);
    }
    *ret = search.found;
    return STATUS_OK;
}
