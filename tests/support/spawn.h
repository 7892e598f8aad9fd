/*
 * spawn.h - a target program of a test: started, asked over pipes, ended with the test.
 *
 * The program's standard input takes commands, a line each; its standard output gives answers as a line with
 * their length in bytes, then the bytes. The first answer ("ready") comes unasked.
 */
#ifndef SUPPORT_SPAWN_H
#define SUPPORT_SPAWN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawned {
    pid_t pid;
    int commands; /* write end of its standard input */
    int answers;  /* read end of its standard output */
};

/**
 * Start @argv[0] (found by PATH where it has no slash) and return at once. @environment is a NULL-ended list
 * of NAME=VALUE that are set in addition; may be NULL. The kernel kills it when the test's thread ends
 * (PR_SET_PDEATHSIG). False: it could not be started.
 */
bool spawn_start(struct spawned *ret, const char *const argv[], const char *const environment[]);

/** spawn_start(), and wait for the first answer: "ready", or more behind it. The caller frees it; NULL: it
 * could not be started, or ended. */
char *spawn_ready(struct spawned *ret, const char *const argv[], const char *const environment[]);

/** The path of the program @name of tests/targets, built beside the tests. */
void spawn_target_path(const char *name, char path[PATH_MAX]);

/** Start a program of tests/targets (built beside the tests) and wait until it is ready. */
bool spawn_target(struct spawned *ret, const char *name, const char *const arguments[]);

/** The next answer, NUL-terminated, the caller frees it; NULL when the program has ended. */
char *spawn_answer(struct spawned *spawned);

/** Send a command and return its answer as spawn_answer() does. */
char *spawn_ask(struct spawned *spawned, const char *command);

/** Kill it, reap it, close the pipes. Does nothing the second time. */
void spawn_end(struct spawned *spawned);

#endif
