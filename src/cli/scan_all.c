/* scan_all.c - see scan_all.h. */
#include "cli/scan_all.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/config_file.h"
#include "roles/scanner/once.h"
#include "target/live.h"

/* What it is asked for. */
struct wish {
    const char *file, *procfs, *format;
    bool is_file_given;
};

bool scan_all_is_wanted(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--all") == 0)
            return true;
    return false;
}

/* The value of the flag at argv[*at] where it is --@name, else NULL. */
static const char *value_of(const char *name, int argc, char **argv, int *at)
{
    const char *flag = argv[*at];
    size_t length = strlen(name);
    if (strncmp(flag, "--", 2) != 0 || strncmp(flag + 2, name, length) != 0)
        return NULL;
    if (flag[2 + length] == '=')
        return flag + 3 + length;
    return flag[2 + length] == '\0' && *at + 1 < argc ? argv[++*at] : NULL;
}

static enum status parse(int argc, char **argv, struct wish *wish, struct error *err)
{
    *wish = (struct wish){CONFIG_FILE_DEFAULT, "/proc", "prometheus", false};
    for (int i = 0; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--all") == 0)
            continue;
        if ((value = value_of("config.file", argc, argv, &i)) ||
            (value = value_of("config.path", argc, argv, &i))) {
            wish->file = value;
            wish->is_file_given = true;
        } else if ((value = value_of("procfs", argc, argv, &i))) {
            wish->procfs = value;
        } else if ((value = value_of("format", argc, argv, &i))) {
            wish->format = value;
        } else {
            return error_set(
                err, STATUS_USAGE,
                "scan --all: %s: there are --config.file PATH, --procfs PATH and --format prometheus",
                argv[i]);
        }
    }
    if (strcmp(wish->format, "prometheus") != 0)
        return error_set(err, STATUS_USAGE, "scan --all: --format %s: there is prometheus alone",
                         wish->format);
    if (wish->procfs[0] != '/')
        return error_set(err, STATUS_USAGE, "scan --all: --procfs %s: is no absolute path", wish->procfs);
    return STATUS_OK;
}

/* Without a file the service takes the largest processes, and so does this. */
static enum status load(const struct wish *wish, struct config **ret, struct error *err)
{
    if (!wish->is_file_given && access(wish->file, F_OK) != 0) {
        fprintf(
            stderr,
            "malloc_exporter: there is no %s: the 50 largest processes with glibc malloc that may be read\n",
            wish->file);
        return config_default(ret, err);
    }
    return config_file_load(wish->file, ret);
}

int scan_all_run(int argc, char **argv, const struct session_helpers *helpers, struct buffer *out)
{
    struct wish wish;
    struct error err = {0};
    struct config *config = NULL;
    log_init(LOG_WARN, LOG_LOGFMT, "scan");
    enum status status = parse(argc, argv, &wish, &err);
    if (status == STATUS_OK)
        status = target_live_check_procfs(wish.procfs, &err);
    if (status == STATUS_OK)
        status = load(&wish, &config, &err);
    if (status == STATUS_OK)
        status = once_scan_all(wish.procfs, config, helpers->holder, helpers->resolver, out, &err);
    if (status != STATUS_OK && err.message[0])
        fprintf(stderr, "malloc_exporter: %s\n", err.message);
    return status == STATUS_OK ? 0 : status_exit_code(status);
}
