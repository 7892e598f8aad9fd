/*
 * keeper.h - the main process of the service: it starts, watches and replaces the other roles, holds the
 * listening sockets and the capabilities that the scanner needs, and parses nothing.
 */
#ifndef ROLES_KEEPER_KEEPER_H
#define ROLES_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#define KEEPER_ADDRESSES_MAX 64

/** What the command line says. Strings stay the caller's. */
struct keeper_options {
    const char *config_file;
    bool is_config_given; /* else a missing file means the default configuration */
    const char *addresses[KEEPER_ADDRESSES_MAX];
    uint32_t address_count;
    const char *telemetry_path;
    const char *web_config_file; /* "" for none */
    const char *procfs;
    const char *user; /* NULL: the default user */
    uint32_t max_requests;
    bool enable_lifecycle;
    bool systemd_socket; /* listen on what the service manager hands over, not on addresses */
    uint32_t log_level;
    uint32_t log_format;
    /* What runs in a child that was forked for it; the result is its exit code. */
    int (*holder_main)(int socket_fd);
    int (*resolver_main)(int socket_fd);
};

/** Run the service until SIGTERM or SIGINT. Returns the exit code of the program. */
int keeper_run(const struct keeper_options *options);

#endif
