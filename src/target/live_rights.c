/*
 * live_rights.c - why the kernel refuses to let us read a process (ptrace(2), "Ptrace access mode checking"),
 * said so that a person can do something about it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/live_internal.h"
#include "target/proc_file.h"
#include "target/rights.h"

/* Real user of the process, from status; -1 where it cannot be read. */
static int64_t user_of(const struct live *live)
{
    scoped_buffer struct buffer text = {0};
    if (proc_file_read(live->directory_fd, "status", PROC_STATUS_BYTES_MAX, &text, NULL) != STATUS_OK)
        return -1;
    const char *line = strstr(buffer_string(&text), "\nUid:\t");
    return line ? strtoll(line + strlen("\nUid:\t"), NULL, 10) : -1;
}

/* procfs gives the files of a non-dumpable process to root, but not its directory. */
static bool is_non_dumpable(const struct live *live, int64_t user)
{
    struct stat stat;
    return user > 0 && fstatat(live->directory_fd, "maps", &stat, 0) == 0 && stat.st_uid == 0;
}

enum status live_explain_refusal(const struct live *live, const char *what, struct error *err)
{
    struct rights rights;
    rights_read(live->procfs, &rights);
    int pid = (int)live->base.pid, scope = rights.yama_scope;
    int64_t user = user_of(live);
    if (rights.has_ptrace) {
        if (scope >= 3)
            return error_set(
                err, STATUS_PERMISSION,
                "process %d: reading %s is refused: kernel.yama.ptrace_scope is %d, which forbids "
                "it to all until the next boot",
                pid, what, scope);
        return error_set(
            err, STATUS_PERMISSION,
            "process %d: reading %s is refused despite CAP_SYS_PTRACE: it is in a user namespace "
            "that we have no power over, or a security module (SELinux, AppArmor, Landlock) or "
            "seccomp filter forbids it",
            pid, what);
    }
    if (user != (int64_t)geteuid())
        return error_set(err, STATUS_PERMISSION,
                         "process %d: reading %s is refused: it belongs to user %lld and CAP_SYS_PTRACE is "
                         "missing; grant it (AmbientCapabilities=, setcap, --cap-add) or run as that user",
                         pid, what, (long long)user);
    if (is_non_dumpable(live, user))
        return error_set(err, STATUS_PERMISSION,
                         "process %d: reading %s is refused: it is non-dumpable (setuid, file capabilities "
                         "or prctl) and CAP_SYS_PTRACE is missing; grant it",
                         pid, what);
    if (scope >= 1)
        return error_set(
            err, STATUS_PERMISSION,
            "process %d: reading %s is refused: kernel.yama.ptrace_scope is %d and CAP_SYS_PTRACE "
            "is missing; grant it%s",
            pid, what, scope, scope == 1 ? " or set ptrace_scope to 0" : "");
    return error_set(
        err, STATUS_PERMISSION,
        "process %d: reading %s is refused: it has capabilities that we lack, or a security "
        "module (SELinux, AppArmor, Landlock) or seccomp filter forbids it; CAP_SYS_PTRACE may help",
        pid, what);
}
