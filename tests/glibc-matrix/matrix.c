/*
 * matrix.c - every cell of the matrix for one glibc: a program in a state of its heap, scanned with symbols
 * and without, under a stop and live, held against what it says of itself.
 *
 * Usage: [GLIBC_MATRIX_LIBRARIES=FOLDER] matrix NAME VERSION PROGRAMS DEBUG [short | CELL]. NAME is for the
 * table, VERSION as libc_version has to be
 * ("2.41"), PROGRAMS the folder of the built targets, DEBUG that of the debug files (.build-id).
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cells.h"
#include "link/resolver_client.h"
#include "roles/resolver/resolver.h"
#include "support/spawn.h"
#include "support/truth_check.h"

struct matrix {
    const char *name, *version, *programs;
    const char *libraries; /* where the programs find another libc; NULL: the one that they were built for */
    unsigned minor;
    struct forked_helper resolver;
    struct resolver_client client;
    unsigned passed, failed;
};

static void program_path(const struct matrix *matrix, const struct cell *cell, char *path, size_t size)
{
    snprintf(path, size, "%s/%s%s", matrix->programs, cell->program, cell->link);
}

static bool start(const struct matrix *matrix, const struct cell *cell, struct spawned *ret)
{
    char path[PATH_MAX];
    const char *argv[CELL_ARGUMENTS_MAX + 2] = {path};
    program_path(matrix, cell, path, sizeof path);
    for (size_t i = 0; i < CELL_ARGUMENTS_MAX && cell->arguments[i] != NULL; i++) {
        argv[i + 1] = cell->arguments[i];
    }
    char libraries[PATH_MAX + 32];
    const char *environment[CELL_ENVIRONMENT_MAX + 2] = {NULL};
    memcpy(environment, cell->environment, sizeof cell->environment);
    if (matrix->libraries != NULL) {
        snprintf(libraries, sizeof libraries, "LD_LIBRARY_PATH=%s", matrix->libraries);
        for (size_t i = 0; i <= CELL_ENVIRONMENT_MAX; i++) {
            if (environment[i] == NULL) {
                environment[i] = libraries;
                break;
            }
        }
    }
    if (!spawn_start(ret, argv, environment)) {
        return false;
    }
    scoped_free char *answer = spawn_answer(ret);
    return answer != NULL && strcmp(answer, "ready") == 0;
}

/* One outcome of the table; a failure says where it differs. */
static void count(struct matrix *matrix, const char *title, bool is_passed, const char *why)
{
    matrix->passed += is_passed;
    matrix->failed += !is_passed;
    if (!is_passed) {
        printf("  %s: %s: differs: %s\n", matrix->name, title, why);
    }
}

/* Whether the right glibc was found in the way that was asked for: a static program does not tell its
 * version.
 */
static bool is_known(const struct matrix *matrix, const struct cell *cell, bool symbols,
                     struct truth_verdict *verdict)
{
    enum found_by wanted = !symbols                ? FOUND_BY_SIGNATURE
                           : cell->link[0] == '\0' ? FOUND_BY_DEBUGINFO
                                                   : FOUND_BY_SYMTAB;
    if (strcmp(verdict->libc_version, cell->link[0] == '\0' ? matrix->version : "") != 0)
        snprintf(verdict->why, sizeof verdict->why, "the glibc is taken for \"%s\"", verdict->libc_version);
    else if (verdict->found_by != wanted)
        snprintf(verdict->why, sizeof verdict->why, "it was found by %s", found_by_name(verdict->found_by));
    return verdict->why[0] == '\0';
}

static bool check(struct matrix *matrix, const struct cell *cell, struct spawned *program,
                  enum consistency consistency, bool symbols)
{
    struct truth_verdict verdict;
    char title[64];
    const struct truth_check how = {.consistency = consistency,
                                    .symbols = symbols ? &matrix->client.source : NULL,
                                    .ignores_unlisted = cell->is_list_partial,
                                    .minor = matrix->minor};
    bool is_true = (cell->is_without_list ? truth_check_sums : truth_check_blocks)(program, &how, &verdict) &&
                   is_known(matrix, cell, symbols, &verdict);
    snprintf(title, sizeof title, "%s, %s", symbols ? "symbols" : "none", consistency_name(consistency));
    count(matrix, title, is_true, verdict.why);
    return is_true;
}

/* A static program may not be there: the linker was too old. */
static bool is_built(const struct matrix *matrix, const struct cell *cell)
{
    char path[PATH_MAX];
    program_path(matrix, cell, path, sizeof path);
    return cell->link[0] == '\0' || access(path, X_OK) == 0;
}

static void run_cell(struct matrix *matrix, const struct cell *cell)
{
    struct spawned program;
    bool is_started = start(matrix, cell, &program);
    unsigned failed = matrix->failed;
    bool with_symbols = false, without = false;
    if (is_started) {
        without = check(matrix, cell, &program, CONSISTENCY_SNAPSHOT, false);
        without = check(matrix, cell, &program, CONSISTENCY_LIVE, false) && without;
        with_symbols = check(matrix, cell, &program, CONSISTENCY_SNAPSHOT, true);
    } else {
        count(matrix, "start", false, "the program did not become ready");
    }
    printf("%-20s %-44s %-8s %s\n", matrix->name, cell->name, with_symbols ? "equal" : "differs",
           without ? "equal" : "differs");
    if (matrix->failed > failed) {
        printf("  (%s%s)\n", cell->program, cell->link);
    }
    fflush(stdout);
    spawn_end(&program);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: matrix NAME VERSION PROGRAMS DEBUG [short | CELL]\n");
        return 2;
    }
    struct matrix matrix = {.name = argv[1],
                            .libraries = getenv("GLIBC_MATRIX_LIBRARIES"),
                            .version = argv[2],
                            .programs = argv[3],
                            .resolver.main = resolver_main,
                            .minor = (unsigned)strtoul(argv[2] + 2, NULL, 10)};
    resolver_client_init(&matrix.client, forked_helper_launcher(&matrix.resolver));
    matrix.client.source.is_preferred = true;
    matrix.client.timeout_ns = 120 * NS_PER_SECOND; /* the machine may be busy */
    matrix.client.debug_directory = argv[4];
    const char *only = argc > 5 ? argv[5] : NULL;
    printf("%-20s %-44s %-8s %s\n", "glibc", "program", "symbols", "none");
    for (size_t i = 0; i < CELL_COUNT; i++) {
        const struct cell *cell = &CELLS[i];
        bool is_short = only != NULL && strcmp(only, "short") == 0;
        bool is_wanted = only == NULL || (is_short ? cell->is_short : strcmp(only, cell->name) == 0);
        if (is_wanted && matrix.minor >= cell->since && is_built(&matrix, cell)) {
            run_cell(&matrix, cell);
        }
    }
    printf("%s: %u passed, %u failed\n", matrix.name, matrix.passed, matrix.failed);
    return matrix.failed == 0 ? 0 : 1;
}
