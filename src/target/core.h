/*
 * core.h - a core file as a target: the memory of a process as gcore(1) or the kernel wrote it (core(5)).
 *
 * Nothing moves in it, so what is broken there is broken. Memory that the core leaves out because a file has
 * it is read from that file, where that file is proved to be the one that was mapped and the mapping is not
 * writable; what neither has is unreadable. The file is hostile: every count, offset and
 * length is checked against what is there.
 */
#ifndef TARGET_CORE_H
#define TARGET_CORE_H

#include "target/target.h"

/** What a core says of its process beside its memory. */
struct target_core_info {
    pid_t pid;              /* as the process knew it; 0: the core does not say */
    char comm[16];          /* "" where the core does not say */
    const char *exe;        /* path of the program as it was mapped, "" where not known; the target's */
    uint64_t missing_bytes; /* that the core should have and lacks since it was cut off */
};

/**
 * Open the core file at @path. @exe_path, or NULL: where the program's own file is now. STATUS_BAD_DATA: no
 * core, one of a machine that is not known, or one whose parts contradict each other; STATUS_USAGE: @exe_path
 * is not the program that made the core.
 */
enum status target_core_open(const char *path, const char *exe_path, struct target **ret,
                             struct error *err) must_check;

/** The same of an open descriptor, which becomes the target's where that succeeds; @name is for messages. */
enum status target_core_open_fd(int fd, const char *name, const char *exe_path, struct target **ret,
                                struct error *err) must_check;

/** What the core says; @target must be one of target_core_open(). */
const struct target_core_info *target_core_info(const struct target *target);

#endif
