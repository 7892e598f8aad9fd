/* rights.h - what the kernel lets this program read of others: capabilities(7), yama, the user namespace. */
#ifndef TARGET_RIGHTS_H
#define TARGET_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** What decides on this machine. */
struct rights {
    bool is_known;                /* of the capabilities; false: neither is told */
    bool has_ptrace;              /* CAP_SYS_PTRACE, effective */
    bool has_read_search;         /* CAP_DAC_READ_SEARCH, effective */
    int yama_scope;               /* kernel.yama.ptrace_scope; -1: yama is not there */
    bool is_inner_user_namespace; /* capabilities count only in it and below */
};

/** Ask; @procfs is "/proc". */
void rights_read(const char *procfs, struct rights *ret);

/** What of one process may be read; each STATUS_OK, or why not. */
struct access_report {
    struct error memory;  /* mappings, memory, stops: one right; STATUS_OK or STATUS_PERMISSION */
    struct error pagemap; /* resident, swapped, trimmable */
    struct error files;   /* the program's own file */
    struct error threads; /* thread pointers */
    pid_t tracer;         /* who traces it: no stop then; 0: nobody */
};

/**
 * Try it, without effect on the process. STATUS_NO_PROCESS, STATUS_GONE: there is none; STATUS_UNSUPPORTED: a
 * kernel thread; STATUS_SYSTEM, STATUS_NO_MEMORY: it could not be tried; else STATUS_OK, and @ret says the
 * rest.
 */
enum status access_try(const char *procfs, pid_t pid, struct access_report *ret,
                       struct error *err) must_check;

#endif
