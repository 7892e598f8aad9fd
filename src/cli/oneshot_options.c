/* oneshot_options.c - see oneshot_options.h. */
#include "cli/oneshot_options.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/help_text.h"
#include "cli/oneshot_flags.h"

void oneshot_options_help(FILE *out)
{
    static const struct {
        const char *left, *text; /* no text: a title */
    } ROWS[] = {
        {"Which process:", NULL},
        {"PID", "by its number"},
        {"-n, --name COMM", "by its exact name, where one process has it"},
        {"-P, --pattern REGEX", "by its command line, where one process matches"},
        {"--core FILE", "a core file instead"},
        {"--exe FILE", "where the core's program is now"},
        {"--all", "scan: all that the configuration selects, as one exposition"},
        {"--config.file FILE", "with --all (default /etc/malloc_exporter/malloc_exporter.yml)"},
        {"--procfs DIR", "where procfs is mounted (default /proc)"},
        {"How:", NULL},
        {"--format FORMAT", "text (default on a terminal), json, and what the command has besides"},
        {"--consistency MODE",
         "live: never stops it; sliced: stops it for moments; snapshot: stops it, exact (default live)"},
        {"--max-pause TIME", "longest stop of sliced (default 5ms)"},
        {"--snapshot-max-pause TIME", "longest stop of a snapshot (default 1s)"},
        {"--timeout TIME", "give up after TIME (default 10s and 1s a GiB)"},
        {"--read-swapped", "bring its swapped pages back into memory to read them"},
        {"--scan-threads N", "walk a process with many heaps by N threads (default 1)"},
        {"What:", NULL},
        {"--state STATE", "chunks, sizes: in_use, tcache, fastbin, unsorted, small, large, top, mmapped, or "
                          "free; may be given again"},
        {"--arena N", "chunks, sizes: of one arena"},
        {"--min-size BYTES", "chunks: not smaller"},
        {"--max-size BYTES", "chunks: not larger"},
        {"--limit N", "chunks, symbols, strings, search: at most so many"},
        {"--content BYTES", "chunks: the first bytes of each, as hex"},
        {"--top N", "sizes: so many (default 50)"},
        {"--exact", "symbols: the whole name, not a part of it"},
        {"--min N", "strings: the shortest one (default 4)"},
        {"--bytes HEX", "search: for these bytes"},
        {"--text TEXT", "search: for this text"},
        {"--pointer HEX", "search: for this address"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (ROWS[i].text)
            help_row(out, ROWS[i].left, ROWS[i].text);
        else
            help_title(out, ROWS[i].left);
}

#define SIZES_TOP_DEFAULT 50

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* The PID stands first; behind the operands it is taken too, where the first is no number. */
static enum status take_pid(const struct oneshot_form *form, struct oneshot_options *options, unsigned *count,
                            struct error *err)
{
    uint64_t pid = 0;
    bool is_last = *count > form->operands_max && !is_number(options->operands[0]) &&
                   is_number(options->operands[*count - 1]);
    unsigned at = is_last ? *count - 1 : 0;
    enum status status = oneshot_parse_u64("PID", options->operands[at], 1, INT32_MAX, &pid, err);
    if (status != STATUS_OK)
        return status;
    options->pid = (int32_t)pid;
    --*count;
    for (unsigned i = at; i < *count; i++)
        options->operands[i] = options->operands[i + 1];
    options->operands[*count] = NULL;
    return STATUS_OK;
}

static enum status check_target(const struct oneshot_form *form, struct oneshot_options *options,
                                unsigned count, struct error *err)
{
    int given = (options->name != NULL) + (options->pattern != NULL) + (options->core != NULL);
    if (given > 1)
        return error_set(err, STATUS_USAGE, "name one process: PID, -n NAME, -P PATTERN or --core FILE");
    if (given == 0 && count == 0)
        return error_set(err, STATUS_USAGE, "name a process: PID, -n NAME, -P PATTERN or --core FILE");
    if (options->exe && !options->core)
        return error_set(err, STATUS_USAGE, "--exe: only with --core");
    enum status status = given == 0 ? take_pid(form, options, &count, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (count < form->operands_min)
        return error_set(err, STATUS_USAGE, "an argument is missing: %s", form->operands_help);
    if (count > form->operands_max)
        return error_set(err, STATUS_USAGE, "\"%s\" is too much: %s", options->operands[form->operands_max],
                         form->operands_max ? form->operands_help : "only one process is named");
    return STATUS_OK;
}

static enum status take_argument(int argc, char **argv, int *at, struct oneshot_options *options,
                                 unsigned *operands, struct error *err)
{
    const char *value;
    const struct oneshot_flag *flag = oneshot_flag_find(argv[*at], &value);
    if (!flag && argv[*at][0] == '-')
        return error_set(err, STATUS_USAGE, "%s: no such flag; see --help", argv[*at]);
    if (!flag) {
        if (*operands == ONESHOT_OPERANDS_MAX)
            return error_set(err, STATUS_USAGE, "\"%s\" is too much; see --help", argv[*at]);
        options->operands[(*operands)++] = argv[*at];
        return STATUS_OK;
    }
    if (!value && flag->is_switch)
        value = "true";
    else if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value)
        return error_set(err, STATUS_USAGE, "%s: a value is missing", flag->name);
    return flag->set(flag->name, value, options, err);
}

enum status oneshot_options_parse(int argc, char **argv, const struct oneshot_form *form,
                                  struct oneshot_options *ret, struct error *err)
{
    struct oneshot_options options = {.procfs = "/proc",
                                      .format = isatty(STDOUT_FILENO) ? OUTPUT_TEXT : form->piped_format,
                                      .max_pause_ns = 5 * NS_PER_MS,
                                      .snapshot_max_pause_ns = NS_PER_SECOND,
                                      .max_bytes = UINT64_MAX,
                                      .scan_threads = 1,
                                      .top = SIZES_TOP_DEFAULT};
    unsigned operands = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            options.wants_help = true;
            *ret = options;
            return STATUS_OK;
        }
        enum status status = take_argument(argc, argv, &i, &options, &operands, err);
        if (status != STATUS_OK)
            return status;
    }
    if (!(form->formats & 1u << options.format))
        return error_set(err, STATUS_USAGE, "--format: this command does not print %s",
                         output_format_name(options.format));
    enum status status = check_target(form, &options, operands, err);
    if (status == STATUS_OK)
        *ret = options;
    return status;
}
