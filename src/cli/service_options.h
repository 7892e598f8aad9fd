/* service_options.h - the flags of the service. */
#ifndef CLI_SERVICE_OPTIONS_H
#define CLI_SERVICE_OPTIONS_H

#include <stdio.h>

#include "base/error.h"
#include "roles/keeper/keeper.h"

/** What is asked for. */
struct service_options {
    struct keeper_options keeper;
    bool check_config;   /* --config.check */
    int32_t explain_pid; /* --explain; 0: none */
    bool check_access;   /* --check-access */
    int32_t access_pid;  /* of which process; 0: of all */
    bool wants_help, wants_version;
};

/** Parse @argv behind the program's name. STATUS_USAGE: the message names the flag and what is allowed. */
enum status service_options_parse(int argc, char **argv, struct service_options *ret,
                                  struct error *err) must_check;

/** The flags by groups, as --help prints them. */
void service_options_help(FILE *out);

/** Check a configuration file: all problems to stderr. Returns the exit code. */
int service_check_config(const struct service_options *options);

#endif
