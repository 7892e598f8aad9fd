/* main.c - wiring, nothing else: which part of the program was asked for. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/check_access.h"
#include "cli/help_text.h"
#include "cli/inspect.h"
#include "cli/service_options.h"
#include "link/hold_client.h"
#include "link/resolver_client.h"
#include "link/role_start.h"
#include "roles/front/front.h"
#include "roles/holder/holder.h"
#include "roles/keeper/keeper.h"
#include "roles/resolver/resolver.h"
#include "roles/scanner/scanner.h"

static int print_usage(FILE *out, int code)
{
    fputs("usage: malloc_exporter [FLAGS]\n"
          "       malloc_exporter COMMAND PID [ARGUMENTS] [FLAGS]\n\n"
          "Without a command: the service, which exports the glibc malloc heaps of the\n"
          "configured processes. With one: looks into a running process, without touching\n"
          "it, or into a core file (malloc_exporter COMMAND --help).\n",
          out);
    service_options_help(out);
    help_title(out, "Commands:");
    inspect_help(out);
    return code;
}

/* Where one of the three is closed, the next file that is opened would get what is meant for it: our log, a
 * client's answer. False with errno where one stays closed. */
static bool fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        /* what is written there fails, and is told */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            return false;
    return true;
}

/* @code, or 1 where what was printed did not get to its reader; one that wants no more needs no message. */
static int finish_stdout(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE)
        fprintf(stderr, "malloc_exporter: stdout: %s\n", strerror(errno));
    return code ? code : 1;
}

static int run_inspect(int argc, char **argv)
{
    struct forked_helper resolver = {.main = resolver_main},
                         holder = {.main = holder_main, .ends_by_itself = true};
    struct resolver_client symbols;
    struct hold_client hold;
    resolver_client_init(&symbols, forked_helper_launcher(&resolver));
    hold_client_init(&hold, forked_helper_launcher(&holder));
    struct session_helpers helpers = {.resolver = &symbols, .holder = &hold.holder};
    return inspect_run(argc, argv, &helpers);
}

/* A program that the keeper started as one of its roles. */
static int run_role(const char *name, const char *keeper)
{
    static const struct {
        const char *name;
        uint64_t capabilities;
        int (*main)(int control_fd);
    } ROLES[] = {{"front", 0, front_main}, {"scanner", SCANNER_CAPABILITIES, scanner_main}};
    struct error err = {0};
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
        if (strcmp(ROLES[i].name, name) != 0)
            continue;
        if (role_start((int32_t)strtol(keeper, NULL, 10), ROLES[i].capabilities, &err) == STATUS_OK)
            return ROLES[i].main(ROLE_CONTROL_FD);
        log_error(LOG_ERROR, "a role could not start", &err);
        return 1;
    }
    return print_usage(stderr, 2);
}

static int run_service(int argc, char **argv)
{
    struct service_options options;
    struct error err = {0};
    if (service_options_parse(argc - 1, argv + 1, &options, &err) != STATUS_OK) {
        fprintf(stderr, "malloc_exporter: %s\n", err.message);
        return 2;
    }
    if (options.wants_help)
        return finish_stdout(print_usage(stdout, 0));
    if (options.wants_version)
        return finish_stdout(printf("malloc_exporter, version %s\n", VERSION) < 0);
    if (options.check_config)
        return finish_stdout(service_check_config(&options));
    if (options.check_access)
        return finish_stdout(check_access(options.keeper.procfs, options.access_pid));
    options.keeper.holder_main = holder_main;
    options.keeper.resolver_main = resolver_main;
    return keeper_run(&options.keeper);
}

int main(int argc, char **argv)
{
    if (!fill_standard_descriptors()) {
        fprintf(
            stderr,
            "malloc_exporter: /dev/null cannot be opened in place of a closed stdin, stdout or stderr: %s\n",
            strerror(errno));
        return 1;
    }
    if (argc > 1 && inspect_has(argv[1]))
        return run_inspect(argc - 1, argv + 1);
    if (argc == 3 && strncmp(argv[1], ROLE_FLAG, strlen(ROLE_FLAG)) == 0)
        return run_role(argv[1] + strlen(ROLE_FLAG), argv[2]);
    return run_service(argc, argv);
}
