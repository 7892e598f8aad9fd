/* main.c - wiring, nothing else: which part of the program was asked for. */
#include <stdio.h>
#include <string.h>

#include "cli/inspect.h"
#include "link/hold_client.h"
#include "link/resolver_client.h"
#include "roles/holder/holder.h"
#include "roles/resolver/resolver.h"

static int print_usage(FILE *out, int code)
{
    fprintf(out,
            "usage: malloc_exporter COMMAND PID|-n NAME|-P PATTERN [flags]\n\n"
            "Looks into the glibc malloc heap of a running process without touching it.\n\n%s\n%s"
            "  --version, --help\n",
            inspect_help(), oneshot_options_help());
    return code;
}

static int run_inspect(int argc, char **argv)
{
    struct resolver_child child = {0};
    struct resolver_client client;
    resolver_client_init(&client, &(struct resolver_launcher){.start = resolver_child_start,
                                                              .stop = resolver_child_stop,
                                                              .context = &child});
    struct holder_child holder = {0};
    struct hold_client hold;
    hold_client_init(&hold, &(struct hold_launcher){
                                .start = holder_child_start, .stop = holder_child_stop, .context = &holder});
    struct session_helpers helpers = {.resolver = &client, .holder = &hold.holder};
    return inspect_run(argc, argv, &helpers);
}

int main(int argc, char **argv)
{
    if (argc > 1 && inspect_has(argv[1]))
        return run_inspect(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("malloc_exporter, version %s\n", VERSION);
        return 0;
    }
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return print_usage(stdout, 0);
    return print_usage(stderr, 2);
}
