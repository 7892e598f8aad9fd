/* check_access.c - see check_access.h. Nothing is read of a process but whether it may be. */
#include "cli/check_access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/fail.h"
#include "target/live.h"
#include "target/proc_file.h"
#include "target/rights.h"

/* Refusals that are told apart; the rest are counted under one line. */
#define CAUSES_MAX 64

/* A cause, for how many processes, and the first of them. */
struct cause {
    char text[320];
    unsigned count;
    int32_t example;
};

struct survey {
    struct cause causes[CAUSES_MAX];
    unsigned cause_count;
    unsigned readable, refused, without_pagemap, other_causes, unknown;
    struct error failure; /* the first that could not be tried, or not be listed */
    struct error pagemap; /* the first refusal of a pagemap alone */
};

static void print_rights(const char *procfs)
{
    struct rights rights;
    rights_read(procfs, &rights);
    printf("user                %d\n", (int)geteuid());
    if (!rights.is_known)
        printf("capabilities        not known: the kernel does not tell\n");
    else
        printf("CAP_SYS_PTRACE      %s\n"
               "CAP_DAC_READ_SEARCH %s\n",
               rights.has_ptrace ? "yes" : "no: only processes of this user",
               rights.has_read_search ? "yes" : "no: other users' pagemap and files that not all may read");
    if (rights.yama_scope < 0)
        printf("yama                not there\n");
    else
        printf("yama                ptrace_scope %d%s\n", rights.yama_scope,
               rights.yama_scope == 0   ? ""
               : rights.yama_scope <= 2 ? ": only with CAP_SYS_PTRACE"
                                        : ": nothing may be read until the next boot");
    printf("user namespace      %s\n", rights.is_inner_user_namespace
                                           ? "an inner one: capabilities hold for processes in it only"
                                           : "the initial one");
}

static void print_part(const char *part, const struct error *refusal)
{
    enum status status = refusal->status;
    bool is_answer = status == STATUS_PERMISSION || status == STATUS_NOT_FOUND;
    printf("%-19s %s%s\n", part,
           status == STATUS_OK ? "yes"
           : is_answer         ? "no: "
                               : "not known: ",
           refusal->message);
}

static int check_one(const char *procfs, int32_t pid)
{
    struct access_report report;
    struct error err = {0};
    if (access_try(procfs, pid, &report, &err) != STATUS_OK)
        return cli_fail(&err);
    print_part("mappings, memory", &report.memory);
    print_part("threads", &report.threads);
    print_part("files", &report.files);
    print_part("pagemap", &report.pagemap);
    if (report.tracer)
        printf("%-19s no: process %d traces it\n", "stops", (int)report.tracer);
    else
        print_part("stops", &report.memory);
    return status_exit_code(report.memory.status);
}

/* The message without the "process N: " in front of it. */
static const char *without_pid(const char *message)
{
    const char *text = strncmp(message, "process ", 8) == 0 ? strstr(message, ": ") : NULL;
    return text ? text + 2 : message;
}

static void count_refusal(struct survey *survey, int32_t pid, const struct error *refusal)
{
    const char *text = without_pid(refusal->message);
    unsigned i = 0;
    survey->refused++;
    while (i < survey->cause_count && strcmp(survey->causes[i].text, text) != 0)
        i++;
    if (i == CAUSES_MAX) {
        survey->other_causes++;
        return;
    }
    struct cause *cause = &survey->causes[i];
    if (i == survey->cause_count) {
        survey->cause_count++;
        cause->example = pid;
        snprintf(cause->text, sizeof cause->text, "%s", text);
    }
    cause->count++;
}

static void survey_one(struct survey *survey, const char *procfs, int32_t pid)
{
    struct access_report report;
    struct error err;
    enum status status = access_try(procfs, pid, &report, &err);
    if (status == STATUS_NO_PROCESS || status == STATUS_GONE || status == STATUS_UNSUPPORTED)
        return;
    if (status != STATUS_OK) {
        if (survey->unknown++ == 0)
            survey->failure = err;
        return;
    }
    if (report.memory.status == STATUS_PERMISSION) {
        count_refusal(survey, pid, &report.memory);
        return;
    }
    survey->readable++;
    if (report.pagemap.status == STATUS_PERMISSION && survey->without_pagemap++ == 0)
        survey->pagemap = report.pagemap;
}

static void print_survey(const struct survey *survey)
{
    printf("processes           %u may be read, %u not\n", survey->readable, survey->refused);
    if (survey->without_pagemap)
        printf("pagemap             of %u of them not: %s\n", survey->without_pagemap,
               survey->pagemap.message);
    for (unsigned i = 0; i < survey->cause_count; i++)
        printf("refused             %u (process %d …): %s\n", survey->causes[i].count,
               (int)survey->causes[i].example, survey->causes[i].text);
    if (survey->other_causes)
        printf("refused             %u for other causes\n", survey->other_causes);
    if (survey->unknown)
        printf("not known           of %u processes\n", survey->unknown);
}

/* False with the failure in @survey where not all of it could be listed. */
static bool survey_all(struct survey *survey, const char *procfs, DIR *directory)
{
    pid_t pid;
    while ((pid = proc_next_pid(directory)) != 0)
        survey_one(survey, procfs, pid);
    if (errno != 0)
        error_errno(&survey->failure, errno, "list the processes in %s", procfs);
    return survey->failure.status == STATUS_OK;
}

static int check_all(const char *procfs)
{
    scoped_free struct survey *survey = calloc(1, sizeof *survey);
    scoped_directory DIR *directory = survey ? opendir(procfs) : NULL;
    if (!directory) {
        fprintf(stderr, "malloc_exporter: %s cannot be read (%s): see --procfs\n", procfs, strerror(errno));
        return 1;
    }
    bool is_whole = survey_all(survey, procfs, directory);
    print_survey(survey);
    if (!is_whole)
        return cli_fail(&survey->failure);
    return survey->refused ? status_exit_code(STATUS_PERMISSION) : 0;
}

int check_access(const char *procfs, int32_t pid)
{
    struct error err = {0};
    if (target_live_check_procfs(procfs, &err) != STATUS_OK)
        return cli_fail(&err);
    print_rights(procfs);
    return pid ? check_one(procfs, pid) : check_all(procfs);
}
