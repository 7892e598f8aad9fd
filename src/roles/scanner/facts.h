/* facts.h - what is known of a process beside its memory: what the configuration's entries look at. */
#ifndef ROLES_SCANNER_FACTS_H
#define ROLES_SCANNER_FACTS_H

#include "base/buffer.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "roles/scanner/cgroup.h"
#include "roles/scanner/users.h"
#include "target/live.h"

/** Of a command line this much is looked at; the kernel's limit of one argument is the same. */
#define FACTS_COMMAND_LINE_MAX (128 * 1024)

/** Zero-initialise; facts_deinit() ends it. @match points into the rest. */
struct facts {
    struct process_facts match;
    struct buffer command_line; /* argv joined by blanks */
    struct buffer argv0;
    bool has_argv; /* it has an argv[0], which may be empty */
    struct buffer cgroups;
    char comm[64];
    char exe[4096];
    char cwd[4096];
    char user[64];
    struct cgroup_names names;
};

/**
 * Read the facts of process @pid, whose stat is @stat. What may not be read is empty. STATUS_GONE: it has
 * ended.
 */
enum status facts_read(const char *procfs, int32_t pid, const struct proc_stat *stat,
                       const struct users *users, struct facts *ret, struct error *err) must_check;

void facts_deinit(struct facts *facts);
#define scoped_facts scoped(facts_deinit)

#endif
