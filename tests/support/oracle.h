/*
 * oracle.h - a real program with the preloaded oracle: what glibc itself says of its heap.
 */
#ifndef SUPPORT_ORACLE_H
#define SUPPORT_ORACLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "support/spawn.h"

struct oracle {
    struct spawned program;
    char folder[32]; /* a temporary one, removed with the oracle; programs may put sockets there */
    int fifo;
};

/** A folder and a FIFO in it; oracle_deinit() ends both. */
bool oracle_init(struct oracle *ret);
/** Start @argv with the oracle preloaded. */
bool oracle_start(struct oracle *oracle, const char *const argv[]);
/** Wait until all threads of @pid sleep: none runs or is in the middle of anything but a system call. */
bool oracle_wait_idle(pid_t pid);
/** Text as malloc_info_text() of process @pid, which the program is or forked; the caller frees it. */
char *oracle_ask(struct oracle *oracle, pid_t pid);
/** Kill the program, remove the folder. */
void oracle_deinit(struct oracle *oracle);

#endif
