/* rights.c - see rights.h. */
#include "target/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "base/cleanup.h"
#include "target/live_internal.h"
#include "target/proc_file.h"

static void read_capabilities(struct rights *ret)
{
    cap_flag_value_t ptrace = CAP_CLEAR, read_search = CAP_CLEAR;
    cap_t caps = cap_get_proc();
    ret->is_known = caps && cap_get_flag(caps, CAP_SYS_PTRACE, CAP_EFFECTIVE, &ptrace) == 0 &&
                    cap_get_flag(caps, CAP_DAC_READ_SEARCH, CAP_EFFECTIVE, &read_search) == 0;
    ret->has_ptrace = ret->is_known && ptrace == CAP_SET;
    ret->has_read_search = ret->is_known && read_search == CAP_SET;
    if (caps)
        cap_free(caps);
}

static int yama_scope(const char *procfs)
{
    char path[320];
    int value;
    snprintf(path, sizeof path, "%s/sys/kernel/yama/ptrace_scope", procfs);
    scoped_file FILE *file = fopen(path, "re");
    return file && fscanf(file, "%d", &value) == 1 ? value : -1;
}

/* Only the initial namespace maps all ids to themselves (user_namespaces(7)). */
static bool is_inner_user_namespace(const char *procfs)
{
    char path[320];
    unsigned long inside, outside, count;
    snprintf(path, sizeof path, "%s/self/uid_map", procfs);
    scoped_file FILE *file = fopen(path, "re");
    return file && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
           !(inside == 0 && outside == 0 && count == UINT32_MAX);
}

void rights_read(const char *procfs, struct rights *ret)
{
    *ret = (struct rights){.yama_scope = yama_scope(procfs),
                           .is_inner_user_namespace = is_inner_user_namespace(procfs)};
    read_capabilities(ret);
}

static pid_t tracer_of(const struct target *target)
{
    scoped_buffer struct buffer text = {0};
    if (proc_file_read(((const struct live *)target)->directory_fd, "status", PROC_STATUS_BYTES_MAX, &text,
                       NULL) != STATUS_OK)
        return 0;
    const char *line = strstr(buffer_string(&text), "\nTracerPid:\t");
    return line ? (pid_t)strtol(line + strlen("\nTracerPid:\t"), NULL, 10) : 0;
}

static void try_pages(struct target *target, const struct maps *maps, struct error *err)
{
    uint8_t state;
    if (maps->count > 0)
        (void)!target_page_states(target, maps->rows[0].start, 1, &state, err);
}

/* The first file that is mapped is the program's own. */
static void try_file(struct target *target, const struct maps *maps, struct error *err)
{
    scoped_fd int fd = -1;
    for (size_t i = 0; i < maps->count; i++)
        if (maps->rows[i].inode != 0) {
            (void)!target_open_file(target, &maps->rows[i], &fd, err);
            return;
        }
}

static void try_threads(struct target *target, struct error *err)
{
    struct target_thread *rows = NULL;
    size_t count = 0;
    uint64_t head;
    if (target_threads(target, &rows, &count, err) != STATUS_OK)
        return;
    enum status status = target_robust_list(target, rows[0].tid, &head);
    if (status == STATUS_PERMISSION || status == STATUS_SYSTEM)
        error_set(err, status, "get_robust_list(2) is refused: a seccomp filter of ours, or as its memory");
    free(rows);
}

enum status access_try(const char *procfs, pid_t pid, struct access_report *ret, struct error *err)
{
    scoped_target struct target *target = NULL;
    scoped_maps struct maps maps = {0};
    struct access_report report = {0};
    enum status status = target_live_open(procfs, pid, &target, &report.memory);
    if (status == STATUS_OK)
        status = target_maps(target, &maps, &report.memory);
    if (status != STATUS_OK && status != STATUS_PERMISSION) {
        if (err)
            *err = report.memory;
        return status;
    }
    if (status == STATUS_OK) {
        try_pages(target, &maps, &report.pagemap);
        try_file(target, &maps, &report.files);
        try_threads(target, &report.threads);
        report.tracer = tracer_of(target);
    } else {
        report.pagemap = report.files = report.threads = report.memory;
    }
    *ret = report;
    return STATUS_OK;
}
