/* inspect.c - see inspect.h. */
#include "cli/inspect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/chunks.h"
#include "cli/fail.h"
#include "cli/help_text.h"
#include "cli/question.h"
#include "cli/scan_all.h"
#include "cli/sizes.h"
#include "encode/exposition.h"
#include "encode/process_json.h"
#include "encode/process_text.h"
#include "inspect/advice.h"

#define FORMAT(name) (1u << OUTPUT_##name)

/* Why stdout took no more; 0: it did. */
static int write_errno;

/* All of @data to stdout; false: the reader is gone or the disk is full. */
static bool write_all(void *context, const char *data, size_t length)
{
    struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
    (void)context;
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, data, length);
        /* whoever started us may have left a descriptor that does not wait */
        bool is_early = written < 0 && (errno == EINTR || errno == EAGAIN);
        if (is_early && (poll(&ready, 1, -1) >= 0 || errno == EINTR))
            continue;
        if (written <= 0) {
            write_errno = errno;
            return false;
        }
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* The exit code of a command that ended with @status. A reader that wants no more needs no message. */
static int finish(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return 0;
    if (status != STATUS_STOPPED)
        return cli_fail(err);
    if (write_errno && write_errno != EPIPE)
        fprintf(stderr, "malloc_exporter: stdout: %s\n", strerror(write_errno));
    return 1;
}

static int print(struct buffer *out, struct error *err)
{
    enum status status = buffer_status(out, err);
    if (status == STATUS_OK && !write_all(NULL, out->data, out->length))
        status = STATUS_STOPPED;
    return finish(status, err);
}

static void scoped_snapshot_run(struct snapshot **snapshot)
{
    snapshot_unref(*snapshot);
}
#define scoped_snapshot scoped(scoped_snapshot_run)

typedef int show_fn(const struct oneshot_options *options, const struct snapshot *snapshot);

/* Scan once and @show what was found. */
static int scan_and(show_fn *show, const struct oneshot_options *options,
                    const struct session_helpers *helpers)
{
    struct error err = {0};
    scoped_snapshot struct snapshot *snapshot = NULL;
    if (session_scan(options, helpers, true, NULL, &snapshot, &err) != STATUS_OK)
        return cli_fail(&err);
    return show(options, snapshot);
}

/* As the service would expose it, in a group of its comm. */
static int show_exposition(const struct oneshot_options *options, const struct snapshot *snapshot)
{
    (void)options;
    struct error err = {0};
    scoped_buffer struct buffer out = {0};
    const struct view_group group = {.name = snapshot->labels.comm};
    const struct view_process process = {.group = &group, .state = PROCESS_STATE_OK, .snapshot = snapshot};
    const struct view view = {.groups = &group,
                              .groups_count = 1,
                              .processes = &process,
                              .processes_count = 1,
                              .size_histogram = true,
                              .residency = true};
    if (exposition_write_processes(&out, &view, &err) != STATUS_OK)
        return cli_fail(&err);
    return print(&out, &err);
}

static int show_scan(const struct oneshot_options *options, const struct snapshot *snapshot)
{
    struct error err = {0};
    scoped_buffer struct buffer out = {0};
    (options->format == OUTPUT_JSON ? process_json_scan : process_text_scan)(&out, snapshot);
    return print(&out, &err);
}

static int show_arenas(const struct oneshot_options *options, const struct snapshot *snapshot)
{
    struct error err = {0};
    scoped_buffer struct buffer out = {0};
    (options->format == OUTPUT_JSON ? process_json_arenas : process_text_arenas)(&out, snapshot);
    return print(&out, &err);
}

/* What the numbers say in words. */
static int show_advice(const struct oneshot_options *options, const struct snapshot *snapshot)
{
    struct error err = {0};
    scoped_free struct report *report = malloc(sizeof *report);
    if (!report)
        return cli_fail((error_set(&err, STATUS_NO_MEMORY, "no memory for a report"), &err));
    report_begin(report, options->format == OUTPUT_JSON ? REPORT_JSON : REPORT_TEXT, write_all, NULL);
    report_key(report, "pid", NULL);
    report_count(report, (uint64_t)snapshot->pid);
    report_key(report, "comm", NULL);
    report_text(report, snapshot->labels.comm);
    report_line(report, "%s (pid %d)", snapshot->labels.comm, snapshot->pid);
    advice_put(snapshot, report);
    return finish(report_end(report, &err), &err);
}

static int run_scan(const struct oneshot_options *options, const struct session_helpers *helpers)
{
    return scan_and(options->format == OUTPUT_PROMETHEUS ? show_exposition : show_scan, options, helpers);
}

static int run_arenas(const struct oneshot_options *options, const struct session_helpers *helpers)
{
    return scan_and(show_arenas, options, helpers);
}

static int run_advise(const struct oneshot_options *options, const struct session_helpers *helpers)
{
    return scan_and(show_advice, options, helpers);
}

static int run_chunks(const struct oneshot_options *options, const struct session_helpers *helpers)
{
    struct error err = {0};
    return finish(chunks_print(options, helpers, write_all, &err), &err);
}

static int run_sizes(const struct oneshot_options *options, const struct session_helpers *helpers)
{
    struct error err = {0};
    return finish(sizes_answer(options, helpers, write_all, &err), &err);
}

/* A question: text on a terminal, JSON else. */
#define ASK(least, most, help)                                      \
    {                                                               \
        FORMAT(TEXT) | FORMAT(JSON), OUTPUT_JSON, least, most, help \
    }

static int ask(enum inspection_kind kind, const struct oneshot_options *options,
               const struct session_helpers *helpers)
{
    struct error err = {0};
    struct inspection_question question;
    enum status status = question_parse(kind, options, &question, &err);
    if (status == STATUS_OK)
        status = question_answer(options, helpers, &question, write_all, &err);
    return finish(status, &err);
}

static const struct subcommand {
    const char *name;
    struct oneshot_form form;
    int (*run)(const struct oneshot_options *options, const struct session_helpers *helpers); /* NULL: ask */
    const char *help;
    enum inspection_kind kind; /* what is asked */
} SUBCOMMANDS[] = {
    {"scan",
     {FORMAT(TEXT) | FORMAT(JSON) | FORMAT(PROMETHEUS), OUTPUT_JSON, 0, 0, NULL},
     run_scan,
     "the numbers of its heap",
     0},
    {"chunks",
     {FORMAT(TEXT) | FORMAT(JSON) | FORMAT(NDJSON) | FORMAT(CSV), OUTPUT_NDJSON, 0, 0, NULL},
     run_chunks,
     "every chunk, a record each",
     0},
    {"arenas",
     {FORMAT(TEXT) | FORMAT(JSON), OUTPUT_JSON, 0, 0, NULL},
     run_arenas,
     "arenas, heaps, bins and tcaches",
     0},
    {"advise",
     {FORMAT(TEXT) | FORMAT(JSON), OUTPUT_JSON, 0, 0, NULL},
     run_advise,
     "in plain words: why it holds its memory, and whether it would give it back",
     0},
    {"sizes", ASK(0, 0, NULL), run_sizes, "which sizes its chunks have, most bytes first", 0},
    {"maps", ASK(0, 0, NULL), NULL, "its mappings: what each is for, what of it is in memory",
     INSPECTION_MAPS},
    {"status", ASK(0, 0, NULL), NULL, "totals of its mappings by kind", INSPECTION_STATUS},
    {"symbols", ASK(1, 1, "symbols PID TEXT"), NULL, "symbols whose name holds TEXT", INSPECTION_SYMBOLS},
    {"address", ASK(1, 1, "address PID HEX"), NULL,
     "what contains an address: mapping, symbol, chunk, stack, structure", INSPECTION_ADDRESS},
    {"struct", ASK(1, 2, "struct PID NAME [HEX]"), NULL,
     "a structure field by field: malloc_state, malloc_par, heap_info, tcache, malloc_chunk, or one that "
     "debug information describes",
     INSPECTION_STRUCT},
    {"memory", ASK(1, 2, "memory PID HEX LENGTH"), NULL,
     "bytes of a range, or of a region as maps names it (memory PID '[heap]')", INSPECTION_MEMORY},
    {"strings", ASK(0, 0, NULL), NULL, "printable texts in what it can write", INSPECTION_STRINGS},
    {"search", ASK(0, 0, NULL), NULL, "where --bytes, --text or --pointer is, and in which chunk",
     INSPECTION_SEARCH},
};
#define SUBCOMMAND_COUNT (sizeof SUBCOMMANDS / sizeof *SUBCOMMANDS)

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (strcmp(SUBCOMMANDS[i].name, name) == 0)
            return &SUBCOMMANDS[i];
    return NULL;
}

bool inspect_has(const char *name)
{
    return find(name) != NULL;
}

void inspect_help(FILE *out)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        help_row(out,
                 SUBCOMMANDS[i].form.operands_help ? SUBCOMMANDS[i].form.operands_help : SUBCOMMANDS[i].name,
                 SUBCOMMANDS[i].help);
}

int inspect_run(int argc, char **argv, const struct session_helpers *helpers)
{
    struct error err = {0};
    struct oneshot_options options;
    const struct subcommand *subcommand = find(argv[0]);
    if (subcommand && subcommand->run == run_scan && scan_all_is_wanted(argc - 1, argv + 1)) {
        scoped_buffer struct buffer out = {0};
        int code = scan_all_run(argc - 1, argv + 1, helpers, &out);
        return code ? code : print(&out, &err);
    }
    if (!subcommand ||
        oneshot_options_parse(argc - 1, argv + 1, &subcommand->form, &options, &err) != STATUS_OK)
        return cli_fail(&err);
    if (options.wants_help) {
        printf("usage: malloc_exporter %s%s [FLAGS]\n\n",
               subcommand->form.operands_help ? subcommand->form.operands_help : subcommand->name,
               subcommand->form.operands_help ? "" : " PID");
        help_row(stdout, subcommand->name, subcommand->help);
        oneshot_options_help(stdout);
        return 0;
    }
    if (options.consistency == CONSISTENCY_SNAPSHOT && !helpers->holder)
        return cli_fail(
            (error_set(&err, STATUS_USAGE, "--consistency snapshot: no holder is available"), &err));
    return subcommand->run ? subcommand->run(&options, helpers) : ask(subcommand->kind, &options, helpers);
}
